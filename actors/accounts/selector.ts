import { type EnvoyFacts, selects as means } from '../selector/match.ts';
import { isProblem, problemText, readSelector } from '../selector/selector.ts';

export type { EnvoyFacts } from '../selector/match.ts';

/** Why the text is no selector of envoys, or undefined. */
export function selectorProblem(text: string): string | undefined {
  const read = readSelector(text);
  return isProblem(read) ? `selector ${JSON.stringify(text)}: ${problemText(read)}` : undefined;
}

/** Whether the selector means this envoy. What cannot be read means none. */
export function selects(selector: string, envoy: EnvoyFacts): boolean {
  const read = readSelector(selector);
  return !isProblem(read) && means(read, envoy);
}
