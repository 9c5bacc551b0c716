import { findingLimit, linesOf, shown, ToolOutputError, type ToolParser } from './findings.ts';

/** What `clamscan` or `clamdscan` prints or logs: "<file>: <signature> FOUND", then a summary. */
export const parseClamav: ToolParser = (text) => {
  const infected: string[] = [];
  let lines = 0;
  let summary: number | undefined;
  for (const line of linesOf(text)) {
    const file = /^(.+): \S.* FOUND$/.exec(line)?.[1];
    if (file !== undefined) {
      lines += 1;
      if (infected.length < findingLimit) infected.push(shown(file));
    }
    const total = /^Infected files: (\d{1,9})$/.exec(line.trim())?.[1];
    if (total !== undefined) summary = Number(total);
  }
  if (summary === undefined && lines === 0)
    throw new ToolOutputError('neither a finding nor a summary');
  return { section: { infected, infected_count: Math.max(summary ?? 0, lines) } };
};
