import { ServerError, type ServerErrorCode } from '../errors.ts';
import { auditEvent, type PublishContext } from './context.ts';
import { freezeAt } from './freeze.ts';
import type { PublishMessages, PublishResult } from './messages.ts';
import { compilePolicy, hasErrors } from './policy.ts';
import { checkMayPublish, putInForce, refuse } from './publish-stack.ts';
import { type CandidateState, candidateView, type PublishState } from './state.ts';
import { auditNow, flush, transition } from './transition.ts';
import type { CandidateView, FreezeView } from './version.ts';

/** Puts in force exactly the bytes that the candidate names, compiled anew. */
export async function approve(
  context: PublishContext,
  before: PublishState,
  { contentHash, by, reason }: PublishMessages['approve']['payload'],
): Promise<PublishResult> {
  const candidate = await named(context, before, contentHash, by);
  if (candidate.author === by) {
    return await refused(
      context,
      by,
      contentHash,
      new ServerError('PUBLISH_OWN_CANDIDATE', { by }),
    );
  }
  checkMayPublish(context, before, candidate.baseVersion);
  const policy = await compilePolicy(await context.copies.read(contentHash), context.tools);
  if (hasErrors(policy.result)) return await refuse(context, policy.result, by);
  const details = { stackHash: contentHash, author: candidate.author, reason };
  await auditNow(context, auditEvent(context, 'candidate.approved', by, details));
  const { rollout, promoted } = candidate.request;
  const { planId } = candidate;
  return await putInForce(context, before, policy, {
    by: candidate.author,
    message: candidate.message,
    origin: promoted === undefined ? { kind: 'publish' } : { kind: 'promote', ...promoted },
    rollout,
    approval: { by, atMs: context.nowMs, reason },
    ...(planId === undefined ? {} : { planId }),
  });
}

export async function reject(
  context: PublishContext,
  before: PublishState,
  { contentHash, by, reason }: PublishMessages['reject']['payload'],
): Promise<CandidateView> {
  const candidate = await named(context, before, contentHash, by);
  const details = { stackHash: contentHash, author: candidate.author, reason };
  const { candidate: _, unsent, ...rest } = before;
  const audit = [auditEvent(context, 'candidate.rejected', by, details)];
  const after = await transition(context, { unsent }, rest, { audit });
  await flush(context, after);
  await context.copies.keepOnly(before.kept.map((each) => each.stackHash));
  return candidateView(candidate);
}

export async function freeze(
  context: PublishContext,
  before: PublishState,
  { untilMs, reason, by }: PublishMessages['freeze']['payload'],
): Promise<FreezeView> {
  const { nowMs } = context;
  if (untilMs !== undefined && !(untilMs > nowMs)) {
    throw new ServerError('PUBLISH_BAD_REQUEST', { reason: 'the freeze would end in the past' });
  }
  const view = { reason, by, sinceMs: nowMs, ...(untilMs === undefined ? {} : { untilMs }) };
  const { windowLiftedUntilMs: _, unsent, ...rest } = before;
  const until = untilMs === undefined ? 'unfreeze' : new Date(untilMs).toISOString();
  const audit = [auditEvent(context, 'policy.frozen', by, { reason, until })];
  const after = await transition(context, { unsent }, { ...rest, freeze: view }, { audit });
  await flush(context, after);
  return view;
}

export async function unfreeze(
  context: PublishContext,
  before: PublishState,
  { reason, by }: PublishMessages['unfreeze']['payload'],
): Promise<{ wasFrozen: boolean }> {
  const { nowMs, options } = context;
  const { freeze: ordered, unsent, ...rest } = before;
  const { freezeWindows } = options.settings;
  const inForce = freezeAt(before, freezeWindows, nowMs);
  if (inForce === undefined) return { wasFrozen: false };
  // An ordered freeze may hide a window: both are lifted.
  const window = freezeAt({}, freezeWindows, nowMs);
  const lifted = window?.untilMs === undefined ? {} : { windowLiftedUntilMs: window.untilMs };
  const audit = [auditEvent(context, 'policy.unfrozen', by, { reason, was: inForce.reason })];
  const after = await transition(context, { unsent }, { ...rest, ...lifted }, { audit });
  await flush(context, after);
  return { wasFrozen: true };
}

/** The candidate, when it is the one that is meant and still may become a version. */
async function named(
  context: PublishContext,
  { candidate }: PublishState,
  contentHash: string,
  by: string,
): Promise<CandidateState> {
  if (candidate === undefined) {
    return await refused(context, by, contentHash, new ServerError('PUBLISH_CANDIDATE_NONE'));
  }
  const { contentHash: found, expiresAtMs } = candidate;
  if (found !== contentHash) {
    const error = new ServerError('PUBLISH_CANDIDATE_OTHER', { found, named: contentHash });
    return await refused(context, by, contentHash, error);
  }
  if (context.nowMs < expiresAtMs) return candidate;
  const at = new Date(expiresAtMs).toISOString();
  const error = new ServerError('PUBLISH_CANDIDATE_EXPIRED', { at });
  return await refused(context, by, contentHash, error);
}

async function refused(
  context: PublishContext,
  by: string,
  stackHash: string,
  error: ServerError & { code: ServerErrorCode },
): Promise<never> {
  const details = { stackHash, code: error.code };
  await auditNow(context, auditEvent(context, 'candidate.refused', by, details));
  throw error;
}
