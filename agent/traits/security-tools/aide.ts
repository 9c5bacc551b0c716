import { linesOf, ToolOutputError, type ToolParser } from './findings.ts';

const kinds = ['added', 'removed', 'changed'] as const;
const summaryLine = /^\s*(Added|Removed|Changed) entries:\s+(\d{1,12})\s*$/;

/** What `aide --check` prints: its summary, of versions 0.16 to 0.18. The last check counts. */
export const parseAide: ToolParser = (text) => {
  const counts = new Map<string, number>();
  let looksOkay = false;
  for (const line of linesOf(text)) {
    if (/found NO differences/.test(line)) {
      looksOkay = true;
      counts.clear();
    }
    const match = summaryLine.exec(line);
    if (match !== null) counts.set(match[1]!.toLowerCase(), Number(match[2]));
  }
  if (!looksOkay && counts.size === 0) throw new ToolOutputError('no summary of a check');
  return { section: Object.fromEntries(kinds.map((kind) => [kind, counts.get(kind) ?? 0])) };
};
