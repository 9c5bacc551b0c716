import type { PublishContext } from './context.ts';
import type { PublishState } from './state.ts';

/**
 * How far beyond its own version the server believes what envoys tell. A backup is not that old, and
 * an envoy that tells nonsense must not use the numbers up.
 */
export const restoredVersionsLimit = 1_000_000;

/**
 * The highest version that was ever in force, as far as anybody knows: the state file, the store (the file
 * may be the one that was lost), and the envoys. After a restore from a backup they hold newer
 * versions than the server, and enforce nothing older: the next version must be above theirs.
 */
export async function highestVersion(
  { turn, options }: PublishContext,
  { live }: PublishState,
): Promise<number> {
  const stored = turn.store.get(options.tables.current, 'current')?.version ?? 0;
  const own = Math.max(live.version, stored);
  // A database that does not answer must not keep a version back that protects the fleet.
  const told = await options.reportedVersion?.(own + restoredVersionsLimit).catch(() => 0);
  return Math.max(own, told ?? 0);
}
