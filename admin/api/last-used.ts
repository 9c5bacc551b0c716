import type { Principal } from './authenticate.ts';

/** A token's "last used" is as exact as this; each is a write to the database. */
const resolutionMs = 60_000;
const tokensMax = 10_000;

/** Tells of the use of named tokens and sessions, each at most once a minute. */
export function lastUsed(
  tell: (id: string, atMs: number, kind: 'token' | 'session') => void,
  clock: { nowMs(): number },
): (principal: Principal) => void {
  // One map for both: ids are random.
  const told = new Map<string, number>();
  return ({ tokenId, sessionId }) => {
    const id = tokenId ?? sessionId;
    if (id === undefined) return;
    const nowMs = clock.nowMs();
    const before = told.get(id);
    if (before !== undefined && Math.abs(nowMs - before) < resolutionMs) return;
    if (told.size >= tokensMax) told.clear();
    told.set(id, nowMs);
    tell(id, nowMs, tokenId === undefined ? 'session' : 'token');
  };
}
