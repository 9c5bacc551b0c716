import type { Principal } from './authenticate.ts';

/** A token's "last used" is as exact as this; each is a write to the database. */
const resolutionMs = 60_000;
const tokensMax = 10_000;

/** Tells of the use of named tokens, each at most once a minute. */
export function lastUsed(
  tell: (tokenId: string, atMs: number) => void,
  clock: { nowMs(): number },
): (principal: Principal) => void {
  const told = new Map<string, number>();
  return ({ tokenId }) => {
    if (tokenId === undefined) return;
    const nowMs = clock.nowMs();
    const before = told.get(tokenId);
    if (before !== undefined && Math.abs(nowMs - before) < resolutionMs) return;
    if (told.size >= tokensMax) told.clear();
    told.set(tokenId, nowMs);
    tell(tokenId, nowMs);
  };
}
