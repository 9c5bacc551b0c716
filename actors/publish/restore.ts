import type { AuditEvent } from '../audit/event.ts';
import { ServerError } from '../errors.ts';
import { isUnderWay, type RolloutState } from '../rollout/state.ts';
import { auditEvent, type PublishContext } from './context.ts';
import { enforce, generationOf } from './enforce.ts';
import { highestVersion } from './highest-version.ts';
import type { PublishResult, RollbackRequest } from './messages.ts';
import { compilePolicy, hasErrors } from './policy.ts';
import { checkExpected, putInForce, refuse } from './publish-stack.ts';
import { keepVersion, type LiveVersion, type PublishState } from './state.ts';
import { flush, flushLater, transition } from './transition.ts';

/** An administrator's rollback, to the version before the live one or to any whose files are kept. */
export async function rollback(
  context: PublishContext,
  before: PublishState,
  { version, message, by, expectedVersion }: RollbackRequest,
): Promise<PublishResult> {
  const { live, previous, kept, rollout } = before;
  checkExpected(live, expectedVersion);
  if (version === undefined && previous === undefined)
    throw new ServerError('PUBLISH_NO_PREVIOUS', { version: live.version });
  const wanted = version ?? previous?.version;
  const found = kept.find((each) => each.version === wanted);
  if (wanted === undefined || found === undefined) {
    throw new ServerError('PUBLISH_VERSION_UNKNOWN', { version: wanted ?? live.version - 1 });
  }
  const isReady =
    previous !== undefined &&
    found.stackHash === previous.stackHash &&
    generationOf(context, previous.generation, previous.stackHash) !== undefined;
  if (isReady) {
    const order = { by, message, automatic: false, of: wanted, audit: [] };
    const { state } = await bringBack(context, before, order);
    return resultOf(state.live);
  }
  if (isUnderWay(rollout)) {
    const { stage, stages } = rollout;
    const details = { version: rollout.version, stage: stage + 1, stages: stages.length };
    throw new ServerError('PUBLISH_ROLLOUT_ACTIVE', details);
  }
  if (found.stackHash === live.stackHash) return { ...resultOf(live), changed: false };
  const policy = await compilePolicy(await context.copies.read(found.stackHash), context.tools);
  // It was valid under an older release.
  if (hasErrors(policy.result)) return await refuse(context, policy.result, by);
  const origin = { kind: 'rollback', of: wanted } as const;
  return await putInForce(context, before, policy, { by, message, origin, rollout: false });
}

export interface BringBack {
  readonly by: string;
  readonly message: string;
  /** Of the version named in the history; the previous one when absent. */
  readonly of?: number;
  readonly automatic: boolean;
  /** Told before. */
  readonly audit: readonly AuditEvent[];
}

/**
 * Puts the previous version's stack in force again, as a new version. Its compiled form is in the store
 * still, so this is one small write, whatever the size of the fleet. Works while the database is down.
 */
export async function bringBack(
  context: PublishContext,
  before: PublishState,
  order: BringBack,
): Promise<{ state: PublishState }> {
  const { live: bad, previous: good, rollout } = before;
  if (good === undefined) throw new ServerError('PUBLISH_NO_PREVIOUS', { version: bad.version });
  const { by, message, automatic } = order;
  const version = await context.file.reserveVersion(await highestVersion(context, before));
  const of = order.of ?? good.version;
  const kind = automatic ? 'automatic-rollback' : 'rollback';
  const live: LiveVersion = {
    version,
    publishedAtMs: context.turn.ports.clock.nowMs(),
    publishedBy: by,
    message,
    stackHash: good.stackHash,
    generation: good.generation,
    origin: { kind, of },
    counts: { ...good.counts, changedEnvoys: bad.counts.changedEnvoys },
  };
  const ended = isUnderWay(rollout) ? endedRollout(context, rollout, order) : undefined;
  const { version: rolledBack, stackHash } = bad;
  const details = { version, of, rolledBack, stackHash: good.stackHash, message };
  const audit = [
    ...order.audit,
    ...(ended?.audit ?? []),
    auditEvent(context, 'policy.rolled_back', by, { ...details, automatic }),
  ];
  const bytes = before.kept.find((each) => each.stackHash === good.stackHash)?.bytes ?? 0;
  const added = { version, stackHash: good.stackHash, bytes };
  const { unsent, ...rest } = before;
  const next = {
    ...rest,
    live,
    previous: bad,
    kept: keepVersion(before.kept, added, [stackHash, good.stackHash]),
    revision: before.revision + 1,
    ...(ended === undefined ? {} : { rollout: ended.state }),
  };
  const state = await transition(context, { unsent }, next, { audit, record: live });
  enforce(context, state);
  if (automatic) flushLater(context);
  else await flush(context, state);
  return { state };
}

function endedRollout(
  context: PublishContext,
  rollout: RolloutState,
  { by, message, automatic }: BringBack,
): { state: RolloutState; audit: AuditEvent[] } {
  const status = automatic ? 'rolled-back' : 'ended';
  const state = { ...rollout, status, reason: message, endedAtMs: context.nowMs } as const;
  const type = automatic ? 'rollout.rolled_back' : 'rollout.ended';
  const { version, lastGoodVersion } = rollout;
  const details = { version, lastGoodVersion, reason: message };
  return { state, audit: [auditEvent(context, type, by, details)] };
}

function resultOf({ version, stackHash, counts }: LiveVersion): PublishResult {
  const { modules, resources, entries, bundles, changedEnvoys, totalEnvoys } = counts;
  return {
    diagnostics: [],
    modules,
    resources,
    entries,
    version,
    contentHash: stackHash,
    changedEnvoys,
    totalEnvoys,
    bundles,
    changed: true,
  };
}
