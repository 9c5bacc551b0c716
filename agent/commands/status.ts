import { changed } from '../converge/result.ts';
import { AgentError } from '../errors.ts';
import { type Identity, loadIdentity } from '../identity/identity.ts';
import { BundleCache, type HeldPolicy } from '../offline/bundle-cache.ts';
import { ReportQueue } from '../offline/report-queue.ts';
import { loadRunState, type RunState } from '../offline/run-state.ts';
import { toHex } from '../protocol/bytes.ts';
import { isExpired } from '../protocol/manifest.ts';
import { uuidToText } from '../protocol/uuid.ts';
import { agentVersion } from '../version.ts';
import type { CommandSpec } from './arguments.ts';
import { type CommandContext, exitCodes, identityDirectory } from './context.ts';

export const statusSpec: CommandSpec = {
  summary: 'show what is enforced here; asks no server',
  operandLimit: 0,
  options: { all: { description: 'every resource, also those that are as declared' } },
};

interface Status {
  readonly version: string;
  readonly configDirectory: string;
  readonly stateDirectory: string;
  readonly root: string;
  readonly envoyId?: string;
  readonly server?: string;
  readonly registeredAtMs?: number;
  /** Why no identity could be read. */
  readonly identityProblem?: string;
  readonly policy?: {
    readonly version: number;
    readonly root: string;
    readonly issuedAtMs: number;
    /** 0 = never. */
    readonly expiresAtMs: number;
    readonly expired: boolean;
    readonly resources: number;
  };
  /** Why the cached policy is not enforced. */
  readonly policyProblem?: string;
  readonly lastRun?: RunState['lastRun'];
  readonly lastContactMs?: number;
  readonly contactFailure?: string;
  readonly pendingResults: number;
}

export async function runStatus(context: CommandContext): Promise<number> {
  const status = await collect(context);
  const { settings, io } = context;
  io.write(
    settings.json ? `${JSON.stringify(status)}\n` : describe(status, context.options.has('all')),
  );
  return status.identityProblem === undefined && status.policyProblem === undefined
    ? exitCodes.done
    : exitCodes.refused;
}

async function collect({ settings, parts }: CommandContext): Promise<Status> {
  const nowMs = (): number => parts.clock.nowMs();
  const files = parts.openFiles(settings.stateDirectory);
  const state = await loadRunState(files);
  const queue = await ReportQueue.open(files, nowMs);
  const base = {
    version: agentVersion,
    configDirectory: settings.configDirectory,
    stateDirectory: settings.stateDirectory,
    root: settings.root,
    pendingResults: queue.length,
    ...(state.lastRun === undefined ? {} : { lastRun: state.lastRun }),
    ...(state.lastContactMs === undefined ? {} : { lastContactMs: state.lastContactMs }),
    ...(state.contactFailure === undefined ? {} : { contactFailure: state.contactFailure }),
  };
  let identity: Identity;
  try {
    identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  } catch (error) {
    return { ...base, identityProblem: problem(error) };
  }
  const known = {
    ...base,
    envoyId: uuidToText(identity.envoyId),
    server: settings.server ?? identity.server,
    registeredAtMs: identity.registeredAtMs,
  };
  try {
    const cache = new BundleCache(files, parts.verifier());
    const { envoyId, bundlePublicKey: publicKey } = identity;
    const held = state.held === undefined ? {} : { held: state.held };
    const policy = await cache.load({ envoyId, publicKey, ...held });
    return policy === undefined ? known : { ...known, policy: policyStatus(policy, nowMs()) };
  } catch (error) {
    return { ...known, policyProblem: problem(error) };
  }
}

function policyStatus({ manifest, document }: HeldPolicy, nowMs: number) {
  return {
    version: manifest.policyVersion,
    root: toHex(manifest.bundleRoot),
    issuedAtMs: manifest.issuedAtMs,
    expiresAtMs: manifest.expiresAtMs,
    expired: isExpired(manifest, nowMs),
    resources: document.modules.reduce((sum, module) => sum + module.resources.length, 0),
  };
}

function problem(error: unknown): string {
  return error instanceof AgentError ? `${error.code}: ${error.message}` : String(error);
}

function describe(status: Status, all: boolean): string {
  const lines = [
    ['agent', status.version],
    ['envoy', status.envoyId ?? `none (${status.identityProblem})`],
    ['server', status.server ?? 'none'],
    ['last contact', contact(status)],
    ['policy', policyLine(status)],
    ['root', status.root],
    ['pending', `${status.pendingResults} results not yet settled by the server`],
    ['last run', runLine(status)],
  ].map(([name, value]) => `${name!.padEnd(14)}${value}`);
  for (const { id, action, reason, errorCode } of status.lastRun?.resources ?? []) {
    if (!all && action === 'none') continue;
    lines.push(
      `  ${action.padEnd(8)} ${id}  ${reason}${errorCode === '' ? '' : ` [${errorCode}]`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function contact({ lastContactMs, contactFailure }: Status): string {
  const when = lastContactMs === undefined ? 'never' : time(lastContactMs);
  return contactFailure === undefined ? when : `${when}; since then ${contactFailure}`;
}

function policyLine({ policy, policyProblem }: Status): string {
  if (policy === undefined) return policyProblem ?? 'none yet';
  const validity =
    policy.expiresAtMs === 0
      ? 'never expires'
      : `${policy.expired ? 'EXPIRED' : 'valid until'} ${time(policy.expiresAtMs)}`;
  const { version, resources, root } = policy;
  return `version ${version}, ${resources} resources, ${validity}, root ${root.slice(0, 16)}`;
}

function runLine({ lastRun }: Status): string {
  if (lastRun === undefined) return 'none yet';
  const changes = lastRun.resources.filter(({ action }) => changed(action)).length;
  const { failed, blocked, total } = lastRun.summary;
  const kind = `${lastRun.dryRun ? ', dry run' : ''}${lastRun.offline ? ', offline' : ''}`;
  return (
    `${time(lastRun.startedAtMs)} ${lastRun.state}${kind}: ${total} resources, ` +
    `${changes} changed, ${blocked} blocked, ${failed} failed`
  );
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
