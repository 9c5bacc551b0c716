import { findingLimit, linesOf, shown, ToolOutputError, type ToolParser } from './findings.ts';

/** rkhunter.log of `rkhunter --check`: the lines that explain a warning. */
export const parseRkhunter: ToolParser = (text) => {
  const warnings: string[] = [];
  let stamped = false;
  for (const line of linesOf(text)) {
    const body = /^\[\d\d:\d\d:\d\d\] ?(.*)$/.exec(line)?.[1];
    stamped ||= body !== undefined;
    const warning = /^Warning: (.+)$/.exec(body ?? line)?.[1];
    if (warning !== undefined && warnings.length < findingLimit) warnings.push(shown(warning));
  }
  // `--report-warnings-only` prints nothing at all when there is none.
  if (!stamped && warnings.length === 0 && text.trim() !== '')
    throw new ToolOutputError('neither a log nor warnings');
  return { section: { warnings } };
};
