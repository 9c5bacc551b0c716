import { isProblem, problemText, readSelector } from '../selector/selector.ts';

/** Why the text is no selector of envoys, or undefined. */
export function selectorProblem(text: string): string | undefined {
  const read = readSelector(text);
  return isProblem(read) ? `selector ${JSON.stringify(text)}: ${problemText(read)}` : undefined;
}
