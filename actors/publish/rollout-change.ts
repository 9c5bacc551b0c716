import type { AuditEvent } from '../audit/event.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { ServerError } from '../errors.ts';
import { type Exposure, exposureHash } from '../policy/exposure.ts';
import { generationKey } from '../policy/tables.ts';
import { countFleet, failingBefore } from '../rollout/health.ts';
import { type RolloutSettings, type RolloutView, rolloutAddress } from '../rollout/messages.ts';
import { parseStage } from '../rollout/stages.ts';
import { isUnderWay, type RolloutState, rolloutView } from '../rollout/state.ts';
import { auditEvent, type PublishContext } from './context.ts';
import { enforce } from './enforce.ts';
import { checkNotFrozen } from './freeze-check.ts';
import { changedMembers } from './groups.ts';
import type { RolloutChange } from './messages.ts';
import { bringBack } from './restore.ts';
import type { LiveVersion, PublishState } from './state.ts';
import { flush, flushLater, transition } from './transition.ts';

const saltBytes = 8;
const nobody = -1;

/** A version's rollout before its first stage counts, and the events that tell of it. */
export async function startRollout(
  context: PublishContext,
  { live, previous, plan }: { live: LiveVersion; previous: LiveVersion; plan: RolloutSettings },
): Promise<{ state: RolloutState; audit: AuditEvent[] }> {
  const { turn, options, nowMs } = context;
  const salt = Buffer.from(turn.ports.random.bytes(saltBytes)).toString('hex');
  const none: Exposure = { salt, upTo: nobody, globs: [] };
  const fromGeneration = previous.generation;
  const toGeneration = live.generation;
  const fleet = await countFleet(context.tools.ports, turn.store, options);
  const { stages, observeMs, threshold, leastConverged, onFailure } = plan;
  const base = { fromGeneration, toGeneration, stages };
  const state: RolloutState = {
    version: live.version,
    lastGoodVersion: previous.version,
    status: 'watching',
    stages,
    stage: 0,
    stageStartedAtMs: nowMs,
    startedAtMs: nowMs,
    observeMs,
    threshold,
    leastConverged,
    onFailure,
    reason: '',
    exposure: await exposureOf(context, base, none, 0),
    fromGeneration,
    toGeneration,
    failingBefore: await failingBefore(context.tools.ports, turn.store, options),
    convergedBefore: fleet.online === 0 ? 1 : fleet.converged / fleet.online,
  };
  const by = live.publishedBy;
  const audit = [
    event(context, 'rollout.started', by, state, {
      stages: stages.join(' '),
      observeMs,
      threshold,
      lastGoodVersion: previous.version,
    }),
    event(context, 'rollout.stage_started', by, state),
  ];
  turn.tell(rolloutAddress(), 'watch', {});
  return { state, audit };
}

/** An order of the rollout actor; what it rests on may have changed since, then it is refused. */
export async function changeRollout(
  context: PublishContext,
  before: PublishState,
  order: RolloutChange,
): Promise<RolloutView> {
  const { rollout } = before;
  if (!isUnderWay(rollout)) throw new ServerError('ROLLOUT_NONE');
  const { version: named, change, by, reason, figures } = order;
  if (rollout.version !== named) {
    throw new ServerError('ROLLOUT_MOVED', { found: rollout.version, named });
  }
  if (change === 'rollback') {
    const automatic = by === 'server';
    const audit = [event(context, 'rollout.stopped', by, rollout, { ...figures, reason })];
    const { state } = await bringBack(context, before, { by, message: reason, automatic, audit });
    return rolloutView(state.rollout!);
  }
  if (change === 'advance') checkNotFrozen(context, before);
  const changed = await changedRollout(context, rollout, order);
  const { unsent, ...rest } = before;
  const reaches = change === 'advance' || change === 'finish';
  const next = {
    ...rest,
    rollout: changed.state,
    revision: before.revision + Number(reaches),
  };
  const after = await transition(context, { unsent }, next, { audit: changed.audit });
  enforce(context, after);
  if (reaches) flushLater(context);
  else await flush(context, after);
  return rolloutView(changed.state);
}

async function changedRollout(
  context: PublishContext,
  rollout: RolloutState,
  { change, by, reason, figures }: RolloutChange,
): Promise<{ state: RolloutState; audit: AuditEvent[] }> {
  const { nowMs } = context;
  const tell = (type: AuditEventTypeName, state = rollout) =>
    event(context, type, by, state, { ...figures, ...(reason === '' ? {} : { reason }) });
  const last = rollout.stages.length - 1;
  switch (change) {
    case 'pause':
      return { state: { ...rollout, status: 'paused', reason }, audit: [tell('rollout.paused')] };
    case 'stop':
      return { state: { ...rollout, status: 'paused', reason }, audit: [tell('rollout.stopped')] };
    case 'resume': {
      const state = {
        ...rollout,
        status: 'watching',
        reason: '',
        stageStartedAtMs: nowMs,
      } as const;
      return { state, audit: [tell('rollout.resumed')] };
    }
    case 'advance': {
      const stage = Math.min(rollout.stage + 1, last);
      const exposure = await exposureOf(context, rollout, rollout.exposure, stage);
      const state = { ...rollout, stage, exposure, stageStartedAtMs: nowMs, reason: '' };
      const started = event(context, 'rollout.stage_started', by, state);
      return { state, audit: [tell('rollout.stage_passed'), started] };
    }
    case 'finish': {
      const state = { ...rollout, stage: last, status: 'ended', reason, endedAtMs: nowMs } as const;
      return { state, audit: [tell('rollout.ended')] };
    }
    default: {
      const state = { ...rollout, status: 'completed', reason: '', endedAtMs: nowMs } as const;
      return { state, audit: [tell('rollout.stage_passed'), tell('rollout.completed')] };
    }
  }
}

/** Who is in when `stage` is reached as well. A share is of the envoys that the version changes. */
async function exposureOf(
  context: PublishContext,
  rollout: Pick<RolloutState, 'fromGeneration' | 'toGeneration' | 'stages'>,
  before: Exposure,
  stage: number,
): Promise<Exposure> {
  const parsed = parseStage(rollout.stages[stage] ?? '');
  if (parsed === undefined) return before;
  if ('globs' in parsed) return { ...before, globs: [...before.globs, ...parsed.globs] };
  const { turn, options, tools } = context;
  const row = (generation: number) =>
    turn.store.get(options.tables.generations, generationKey(generation));
  const from = row(rollout.fromGeneration);
  const to = row(rollout.toGeneration);
  if (from === undefined || to === undefined) return before;
  const hashes: number[] = [];
  const generations = {
    from: { number: rollout.fromGeneration, row: from },
    to: { number: rollout.toGeneration, row: to },
  };
  for await (const page of changedMembers(turn.store, options.tables, tools.ports, generations)) {
    for (const { envoyId } of page) hashes.push(exposureHash(before.salt, envoyId));
  }
  const ranked = Float64Array.from(hashes).sort();
  const count = Math.ceil(parsed.share * ranked.length);
  return { ...before, upTo: Math.max(before.upTo, ranked[count - 1] ?? nobody) };
}

function event(
  context: PublishContext,
  type: AuditEventTypeName,
  by: string,
  { version, stage, stages }: RolloutState,
  more: AuditEvent['details'] = {},
): AuditEvent {
  const place = { version, stage: stage + 1, of: stages.length, envoys: stages[stage] ?? '' };
  return auditEvent(context, type, by, { ...place, ...more });
}
