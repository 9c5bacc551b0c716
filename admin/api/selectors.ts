import {
  isProblem,
  problemText,
  readSelector,
  type Selector,
} from '../../actors/selector/selector.ts';
import { AdminError } from '../errors.ts';
import type { Reach } from './policy-decision.ts';

/** Throws API_BAD_SELECTOR, which says what is wrong where. */
export function selectorOf(text: string): Selector {
  const read = readSelector(text);
  if (!isProblem(read)) return read;
  const { column, problem, remedy } = read;
  throw new AdminError('API_BAD_SELECTOR', problemText(read), { column, problem, remedy });
}

/** The envoys that the asker may see, as the database needs it; undefined: all. */
export function withinReach({ everywhere, selectors }: Reach): Selector[][] | undefined {
  if (everywhere) return undefined;
  // What cannot be read selects nobody.
  return selectors.flatMap((all) => {
    const read = all.map(readSelector);
    return read.some(isProblem) ? [] : [read.filter((one) => !isProblem(one)) as Selector[]];
  });
}
