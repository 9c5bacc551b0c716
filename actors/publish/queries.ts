import { ServerError } from '../errors.ts';
import { rolloutView } from '../rollout/state.ts';
import { comparePolicies, type NamedPolicy } from './compare.ts';
import type { StackComparison } from './comparison.ts';
import type { PublishContext } from './context.ts';
import { freezeAt } from './freeze.ts';
import type { PublishMessages, PublishStatus, StackReference } from './messages.ts';
import { compilePolicy, hasErrors, type Policy, readPolicy } from './policy.ts';
import { candidateView, type PublishState } from './state.ts';

/** Diagnostics that an error carries. */
const carriedLimit = 200;

export function statusOf(context: PublishContext, state: PublishState): PublishStatus {
  const { live, candidate, rollout } = state;
  const { settings } = context.options;
  const freeze = freezeAt(state, settings.freezeWindows, context.nowMs);
  const waits = candidate !== undefined && context.nowMs < candidate.expiresAtMs;
  return {
    version: live.version,
    publishedAtMs: live.publishedAtMs,
    publishedBy: live.publishedBy,
    message: live.message,
    contentHash: live.stackHash,
    origin: live.origin,
    approvalRequired: settings.approvalRequired,
    ...(waits ? { candidate: candidateView(candidate) } : {}),
    ...(freeze === undefined ? {} : { freeze }),
    ...(rollout === undefined ? {} : { rollout: rolloutView(rollout) }),
  };
}

/** By default what a publish would change: from the live version to the stack. */
export async function compare(
  context: PublishContext,
  state: PublishState,
  { from = 'live', to = 'stack' }: PublishMessages['diff']['payload'],
): Promise<StackComparison> {
  const { turn, options, tools } = context;
  const before = await policyOf(context, state, from);
  const after = await policyOf(context, state, to);
  const { tables } = options;
  return await comparePolicies(before, after, { store: turn.store, tables, ports: tools.ports });
}

export async function filesOf(
  context: PublishContext,
  state: PublishState,
  of: StackReference,
): Promise<PublishMessages['files']['reply']> {
  const hash = hashOf(state, of);
  const files =
    hash === undefined
      ? (await readPolicy(context.options.stackDirectory, context.tools)).files
      : await context.copies.read(hash);
  const list = [...files].map(([path, text]) => ({ path, text }));
  return { contentHash: hash ?? '', files: list };
}

async function policyOf(
  context: PublishContext,
  state: PublishState,
  reference: StackReference,
): Promise<NamedPolicy> {
  const name = typeof reference === 'number' ? `version ${reference}` : reference;
  if (reference === 'live' && state.live.version === 0) {
    return { name, policy: await compilePolicy(new Map(), context.tools) };
  }
  const hash = hashOf(state, reference);
  if (hash !== undefined) {
    return { name, policy: await compilePolicy(await context.copies.read(hash), context.tools) };
  }
  const policy = await readPolicy(context.options.stackDirectory, context.tools);
  if (hasErrors(policy.result)) throw invalid(policy);
  return { name, policy };
}

/** Of a kept copy; undefined: the stack directory. */
function hashOf(state: PublishState, reference: StackReference): string | undefined {
  if (reference === 'stack') return undefined;
  if (reference === 'candidate') {
    if (state.candidate === undefined) throw new ServerError('PUBLISH_CANDIDATE_NONE');
    return state.candidate.contentHash;
  }
  const version = reference === 'live' ? state.live.version : reference;
  const found = state.kept.find((each) => each.version === version);
  if (found === undefined) throw new ServerError('PUBLISH_VERSION_UNKNOWN', { version });
  return found.stackHash;
}

function invalid({ result }: Policy): ServerError {
  const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
  const { file, line, column, message } = errors[0]!;
  return new ServerError('PUBLISH_INVALID', {
    errors: errors.length,
    first: `${file}:${line}:${column}: ${message}`,
    diagnostics: JSON.stringify(result.diagnostics.slice(0, carriedLimit)),
  });
}
