import type { RequestHead } from './http-edge.ts';

/** One audit entry per address and this long; the others are counted in the next one. */
const windowMs = 60_000;
const addressesMax = 10_000;

interface Counted {
  readonly sinceMs: number;
  readonly count: number;
}

/** Tells of credentials that were not taken, so that the audit log sees who guesses. */
export function refusals(
  tell: (peerAddress: string, count: number) => void,
  clock: { nowMs(): number },
): (head: RequestHead & { readonly peerAddress: string }) => void {
  const counted = new Map<string, Counted>();
  return (head) => {
    // Who offers nothing is told to log in, and guesses nothing.
    if (head.header('authorization') === undefined && head.header('cookie') === undefined) return;
    const { peerAddress } = head;
    const nowMs = clock.nowMs();
    const known = counted.get(peerAddress);
    if (known !== undefined && Math.abs(nowMs - known.sinceMs) < windowMs) {
      counted.set(peerAddress, { ...known, count: known.count + 1 });
      return;
    }
    if (counted.size >= addressesMax) counted.clear();
    counted.set(peerAddress, { sinceMs: nowMs, count: 0 });
    tell(peerAddress, (known?.count ?? 0) + 1);
  };
}
