import { ServerError } from '../errors.ts';
import { generationKey } from '../policy/tables.ts';
import { resolveRollout, rolloutProblem } from '../rollout/stages.ts';
import { isUnderWay, type RolloutState, rolloutView } from '../rollout/state.ts';
import { auditEvent, offlineTools, type PublishContext } from './context.ts';
import { enforce, stageGeneration } from './enforce.ts';
import { checkNotFrozen } from './freeze-check.ts';
import { type RegroupedFleet, regroupFleet } from './groups.ts';
import { highestVersion } from './highest-version.ts';
import type { Diagnostic, PublishRequest, PublishResult, ValidationResult } from './messages.ts';
import { hasErrors, type Policy, readPolicy } from './policy.ts';
import { startRollout } from './rollout-change.ts';
import { stackBytes } from './stack-copies.ts';
import {
  type CandidateState,
  candidateView,
  keepVersion,
  type LiveVersion,
  nothingPublished,
  type PublishState,
} from './state.ts';
import { auditNow, flush, transition } from './transition.ts';
import type { Approval, VersionCounts, VersionOrigin } from './version.ts';

/** A clean-up of old files reads the lists of all kept versions, so not every version does it. */
const versionsPerCleanUp = 10;
/** Diagnostics that an error carries; `validate` has them all. */
const carriedLimit = 200;

/** `isWhole`: what the state file says is in force and its copy is intact. */
export async function publishStack(
  context: PublishContext,
  { state, isWhole }: { readonly state: PublishState | undefined; readonly isWhole: boolean },
  request: PublishRequest,
): Promise<PublishResult> {
  const { options } = context;
  const problem = request.rollout === undefined ? undefined : rolloutProblem(request.rollout);
  if (problem !== undefined) throw new ServerError('PUBLISH_BAD_REQUEST', { reason: problem });
  const before = state ?? repaired(context);
  checkMayPublish(context, before, request.expectedVersion);
  const { strictTools } = context;
  const tools = request.offline === true ? offlineTools(strictTools) : strictTools;
  const policy = await readPolicy(request.directory ?? options.stackDirectory, tools);
  if (hasErrors(policy.result)) return refuse(context, policy.result, request.by);
  const { stackHash: found } = policy;
  if (request.contentHash !== undefined && request.contentHash !== found) {
    throw new ServerError('PUBLISH_STACK_CHANGED', { found, expected: request.contentHash });
  }
  const { live } = before;
  const isNewest = (await highestVersion(context, before)) <= live.version;
  if (isWhole && isNewest && live.version > 0 && live.stackHash === found) {
    return { ...resultOf(policy, live), changedEnvoys: 0, changed: false };
  }
  if (options.settings.approvalRequired) {
    return await makeCandidate(context, before, policy, request);
  }
  const { by, message, planId, promoted } = request;
  return await putInForce(context, before, policy, {
    by,
    message,
    origin: promoted === undefined ? { kind: 'publish' } : { kind: 'promote', ...promoted },
    rollout: request.rollout,
    repair: !isWhole,
    ...(planId === undefined ? {} : { planId }),
  });
}

/** Not during a freeze, not over another rollout, and not over what the author has not seen. */
export function checkMayPublish(
  context: PublishContext,
  state: PublishState,
  expected: number | undefined,
): void {
  checkNotFrozen(context, state);
  const { live, rollout } = state;
  checkExpected(live, expected);
  if (!isUnderWay(rollout)) return;
  const { version, stage, stages } = rollout;
  const details = { version, stage: stage + 1, stages: stages.length };
  throw new ServerError('PUBLISH_ROLLOUT_ACTIVE', details);
}

export function checkExpected({ version }: LiveVersion, expected: number | undefined): void {
  if (expected === undefined || expected === version) return;
  throw new ServerError('PUBLISH_VERSION_MOVED', { live: version, expected });
}

export interface VersionOrder {
  readonly by: string;
  readonly message: string;
  readonly origin: VersionOrigin;
  /** Of the request; `false`: all at once whatever server.yaml says. */
  readonly rollout: PublishRequest['rollout'] | false;
  readonly approval?: Approval;
  readonly planId?: string;
  /** The kept copy may be damaged. */
  readonly repair?: boolean;
}

/** Everything that can fail comes before the state file; what follows it only repeats what it says. */
export async function putInForce(
  context: PublishContext,
  before: PublishState,
  policy: Policy,
  order: VersionOrder,
): Promise<PublishResult> {
  const { options, file, copies } = context;
  const { stackHash } = policy;
  const version = await file.reserveVersion(await highestVersion(context, before));
  const { rows, changed, total } = await regroup(context, before, version, policy);
  await copies.write(stackHash, policy.files, order.repair === true);
  const { by, message, origin, approval } = order;
  const details = { version, stackHash, message, changedEnvoys: changed, origin: origin.kind };
  await auditNow(context, auditEvent(context, 'policy.publish_started', by, details));
  await stageGeneration(context, version, policy, rows);
  const live = newVersion(context, version, policy, order, countsOf(policy, changed, total));
  const previous = before.live.version > 0 ? before.live : undefined;
  const plan =
    order.rollout === false ? undefined : resolveRollout(order.rollout, options.settings.rollout);
  const rollout =
    plan === undefined || previous === undefined || changed === 0
      ? undefined
      : await startRollout(context, { live, previous, plan });
  const type = origin.kind === 'rollback' ? 'policy.rolled_back' : 'policy.published';
  const published = auditEvent(context, type, by, {
    ...details,
    approvedBy: approval?.by ?? '',
  });
  const needed = [stackHash, ...(previous === undefined ? [] : [previous.stackHash])];
  const bytes = stackBytes(policy.files);
  const kept = keepVersion(before.kept, { version, stackHash, bytes }, needed);
  const { candidate: _candidate, previous: _previous, rollout: earlier, unsent, ...rest } = before;
  const next = {
    ...rest,
    live,
    kept,
    revision: before.revision + 1,
    ...(previous === undefined ? {} : { previous }),
    ...lastRollout(rollout?.state ?? earlier),
  };
  const told = { audit: [published, ...(rollout?.audit ?? [])], record: live };
  const after = await transition(context, { unsent }, next, told);
  enforce(context, after);
  await flush(context, after);
  if (kept.length <= before.kept.length && version % versionsPerCleanUp === 0) {
    await copies.keepOnly(kept.map((each) => each.stackHash));
  }
  return {
    ...resultOf(policy, live),
    changed: true,
    ...(rollout === undefined ? {} : { rollout: rolloutView(rollout.state) }),
  };
}

function newVersion(
  { turn }: PublishContext,
  version: number,
  { stackHash }: Policy,
  order: VersionOrder,
  counts: VersionCounts,
): LiveVersion {
  const { by, message, origin, approval, planId } = order;
  return {
    version,
    publishedAtMs: turn.ports.clock.nowMs(),
    publishedBy: by,
    message,
    stackHash,
    generation: version,
    origin,
    counts,
    ...(approval === undefined ? {} : { approval }),
    ...(planId === undefined ? {} : { planId }),
  };
}

async function makeCandidate(
  context: PublishContext,
  before: PublishState,
  policy: Policy,
  request: PublishRequest,
): Promise<PublishResult> {
  const { nowMs, options } = context;
  const { stackHash } = policy;
  const { changed, total } = await regroup(context, before, before.live.generation + 1, policy);
  await context.copies.write(stackHash, policy.files, false);
  const { rollout, promoted, planId, by, message } = request;
  const candidate: CandidateState = {
    contentHash: stackHash,
    author: by,
    message,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + options.settings.candidateExpiryMs,
    baseVersion: before.live.version,
    counts: countsOf(policy, changed, total),
    bytes: stackBytes(policy.files),
    request: {
      ...(rollout === undefined ? {} : { rollout }),
      ...(promoted === undefined ? {} : { promoted }),
    },
    ...(planId === undefined ? {} : { planId }),
  };
  const { unsent, candidate: replaced, ...rest } = before;
  const details = {
    stackHash,
    message,
    changedEnvoys: changed,
    baseVersion: before.live.version,
    ...(replaced === undefined ? {} : { replaces: replaced.contentHash }),
  };
  const event = auditEvent(context, 'candidate.created', by, details);
  await auditNow(context, event);
  await transition(context, { unsent }, { ...rest, candidate }, { audit: [] });
  if (replaced !== undefined) {
    await context.copies.keepOnly([...before.kept.map((each) => each.stackHash), stackHash]);
  }
  return {
    ...resultOf(policy, before.live),
    ...candidate.counts,
    changed: false,
    candidate: candidateView(candidate),
  };
}

export async function refuse(
  context: PublishContext,
  result: ValidationResult,
  by: string,
): Promise<never> {
  const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
  const details = { errors: errors.length, first: describe(errors[0]!) };
  await auditNow(context, auditEvent(context, 'policy.refused', by, details));
  const diagnostics = JSON.stringify(result.diagnostics.slice(0, carriedLimit));
  throw new ServerError('PUBLISH_INVALID', { ...details, diagnostics });
}

/** Compares with what is in force; while nothing is, every envoy counts as changed. */
function regroup(
  { turn, options, tools }: PublishContext,
  { live }: PublishState,
  number: number,
  policy: Policy,
): Promise<RegroupedFleet> {
  const { tables } = options;
  const row = turn.store.get(tables.generations, generationKey(live.generation));
  return regroupFleet(turn.store, tables, tools.ports, {
    ...(row === undefined ? {} : { now: { number: live.generation, row } }),
    next: { number, row: policy.generation },
  });
}

/** The state file is damaged: what the store still knows keeps numbers rising. */
function repaired({ turn, options }: PublishContext): PublishState {
  const current = turn.store.get(options.tables.current, 'current');
  if (current === undefined) return nothingPublished;
  const { revision, generation } = current;
  return { ...nothingPublished, revision, live: { ...nothingPublished.live, generation } };
}

function countsOf({ result, bundles }: Policy, changed: number, total: number): VersionCounts {
  const { modules, resources, entries } = result;
  return {
    modules,
    resources,
    entries,
    bundles: bundles.size,
    changedEnvoys: changed,
    totalEnvoys: total,
  };
}

function resultOf(
  policy: Policy,
  { version, counts }: LiveVersion,
): Omit<PublishResult, 'changed'> {
  const { result, stackHash } = policy;
  const { changedEnvoys, totalEnvoys } = counts;
  const { size } = policy.bundles;
  return { ...result, version, contentHash: stackHash, changedEnvoys, totalEnvoys, bundles: size };
}

function lastRollout(rollout: RolloutState | undefined): { rollout?: RolloutState } {
  return rollout === undefined ? {} : { rollout };
}

function describe({ file, line, column, message }: Diagnostic): string {
  return `${file}:${line}:${column}: ${message}`;
}
