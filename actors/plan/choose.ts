import type { Ports } from '../../runtime/ports/ports.ts';
import { ServerError } from '../errors.ts';
import { hostnameMatcher } from '../policy/hostname-globs.ts';
import { pause } from '../publish/policy.ts';
import type { FleetGroup } from './fleet-groups.ts';
import { type LiveRequest, rehearsalLimit } from './messages.ts';

/** What the database knows of the fleet; asked off the check-in path. */
export interface FleetFacts {
  seen(after: string, limit: number): Promise<{ envoyId: string; lastSeenMs: number }[]>;
  /** Canonical JSON, of at most 500 envoys at once. */
  traits(envoyIds: readonly string[]): Promise<{ envoyId: string; traitsJson: string }[]>;
}

const seenPage = 5_000;
/** The database hears of an envoy once a minute, whatever its interval. */
const seenGraceMs = 120_000;

/** Envoys that checked in within three intervals. */
export async function connectedEnvoys(
  facts: FleetFacts,
  intervalMs: number,
  ports: Ports,
): Promise<ReadonlySet<string>> {
  const sinceMs = ports.clock.nowMs() - 3 * intervalMs - seenGraceMs;
  const connected = new Set<string>();
  let after = '';
  for (;;) {
    const page = await facts.seen(after, seenPage);
    for (const { envoyId, lastSeenMs } of page) if (lastSeenMs >= sinceMs) connected.add(envoyId);
    if (page.length < seenPage) return connected;
    after = page[page.length - 1]!.envoyId;
    await pause(ports);
  }
}

/**
 * The envoys to ask, of each group the same number; evenly over the group, so that they are not all
 * machines of one kind. Throws PLAN_NOBODY_TO_ASK.
 */
export function chooseAsked(
  groups: readonly FleetGroup[],
  live: LiveRequest,
  connected: ReadonlySet<string>,
): ReadonlySet<string> {
  const matches = live.target === undefined ? () => true : hostnameMatcher(live.target);
  const asked = new Set<string>();
  let matching = 0;
  for (const { members } of groups) {
    const targeted = members.filter(({ hostname }) => matches(hostname));
    matching += targeted.length;
    const able = targeted.filter(({ envoyId }) => connected.has(envoyId));
    const count = Math.min(live.sample ?? able.length, able.length, rehearsalLimit - asked.size);
    for (let at = 0; at < count; at += 1)
      asked.add(able[Math.floor((at * able.length) / count)]!.envoyId);
  }
  const changing = groups.length > 0;
  if (!changing || asked.size > 0) return asked;
  const reason =
    matching === 0
      ? 'no envoy whose policy would change matches the target'
      : `none of the ${matching} envoys whose policy would change has checked in lately`;
  throw new ServerError('PLAN_NOBODY_TO_ASK', { reason });
}
