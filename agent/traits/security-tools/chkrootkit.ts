import { findingLimit, linesOf, shown, ToolOutputError, type ToolParser } from './findings.ts';

/** What `chkrootkit` prints: a line per check, "INFECTED" where it found something. */
export const parseChkrootkit: ToolParser = (text) => {
  const infected: string[] = [];
  let checks = 0;
  for (const line of linesOf(text)) {
    const check = /^(?:Checking|Searching for) [`']?(.+?)'?\s*\.\.\./.exec(line)?.[1];
    if (check !== undefined) checks += 1;
    if (!/\bINFECTED\b/.test(line) || infected.length >= findingLimit) continue;
    infected.push(shown(check ?? line));
  }
  if (checks === 0 && infected.length === 0 && text.trim() !== '')
    throw new ToolOutputError('no line of a check');
  return { section: { infected } };
};
