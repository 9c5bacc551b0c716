import { linesOf, ToolOutputError, type ToolParser } from './findings.ts';

/** lynis-report.dat of `lynis audit system`. */
export const parseLynis: ToolParser = (text) => {
  let score: number | undefined;
  let warnings = 0;
  let suggestions = 0;
  for (const line of linesOf(text)) {
    const index = /^hardening_index=(\d{1,3})\b/.exec(line)?.[1];
    if (index !== undefined) score = Math.min(100, Number(index));
    if (line.startsWith('warning[]=')) warnings += 1;
    if (line.startsWith('suggestion[]=')) suggestions += 1;
  }
  if (score === undefined) throw new ToolOutputError('no hardening_index: the audit did not end');
  return { section: { score, warnings, suggestions } };
};
