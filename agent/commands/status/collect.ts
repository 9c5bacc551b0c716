import { AgentError, type AgentErrorCode, agentErrorCodes } from '../../errors.ts';
import { type Identity, loadIdentity } from '../../identity/identity.ts';
import type { RunningAgent } from '../../live-facts.ts';
import { BundleCache, type HeldPolicy } from '../../offline/bundle-cache.ts';
import { readHistory } from '../../offline/history.ts';
import type { HistoryEntry } from '../../offline/history-entry.ts';
import { ReportQueue } from '../../offline/report-queue.ts';
import { loadRunState, type ResourceState, type RunState } from '../../offline/run-state.ts';
import type { StateFiles } from '../../offline/state-files.ts';
import { toHex } from '../../protocol/bytes.ts';
import { sha256 } from '../../protocol/crypto.ts';
import { isExpired } from '../../protocol/manifest.ts';
import { uuidToText } from '../../protocol/uuid.ts';
import { agentVersion } from '../../version.ts';
import { type CommandContext, identityDirectory } from '../context.ts';
import { auditLogStatus } from './audit-log.ts';
import type {
  AgentStatus,
  ChangeStatus,
  PolicyStatus,
  ResourceStatus,
  RunStatus,
  StatusDocument,
} from './document.ts';
import { machineStatus } from './machine.ts';
import { updateStatus } from './update.ts';

/**
 * Reads the state files and asks the running agent, never the server. Who may not read the files
 * gets what the running agent tells anybody. Throws AGENT_STATE_READ when not even that is to be had.
 */
export async function collectStatus(context: CommandContext): Promise<StatusDocument> {
  const { settings, parts } = context;
  const files = parts.openFiles(settings.stateDirectory);
  const running = await parts.askRunning(settings.stateDirectory);
  const base = {
    version: agentVersion,
    configDirectory: settings.configDirectory,
    stateDirectory: settings.stateDirectory,
    root: settings.root,
    agent: await agentStatus(context, running),
  };
  let state: RunState;
  try {
    state = await loadRunState(files);
  } catch (error) {
    if (running === undefined) throw error;
    return { ...base, ...limitedStatus(running, parts.clock.nowMs()) };
  }
  const queue = await ReportQueue.open(files, () => parts.clock.nowMs());
  const lastRun = withLive(state.lastRun, running);
  const contactFailure = contactOf(state, running);
  const contact = later(state.lastContactMs, running?.facts.lastContactMs);
  const known: StatusDocument = {
    ...base,
    scope: 'full',
    pendingResults: queue.length,
    ...(lastRun && { lastRun: { ...lastRun, resources: await resources(lastRun, files) } }),
    ...(contact === undefined ? {} : { lastContactMs: contact }),
    ...(contactFailure === undefined ? {} : { contactFailure }),
    ...reachable(contact, contactFailure),
    ...(await machineStatus(files)),
    ...(await auditLogStatus(files)),
    ...(await updateStatus(files, remedyOf)),
  };
  return { ...known, ...(await identityStatus(context, files, state)) };
}

/** A running agent knows more than the disk, which gets only news. */
function contactOf(state: RunState, running: RunningAgent | undefined): string | undefined {
  return running?.facts.uptimeMs === undefined
    ? state.contactFailure
    : running.facts.contactFailure;
}

function reachable(contactMs: number | undefined, failure: string | undefined) {
  if (contactMs === undefined && failure === undefined) return {};
  return { serverReachable: failure === undefined };
}

async function agentStatus(
  { parts }: CommandContext,
  running: RunningAgent | undefined,
): Promise<AgentStatus> {
  if (running === undefined) return { running: false };
  const { pid, facts } = running;
  const { version, uptimeMs, phase, intervalMs, nextPassInMs, nextCheckInInMs } = facts;
  const all = { pid, version, uptimeMs, phase, intervalMs, nextPassInMs, nextCheckInInMs };
  const rssBytes = pid === undefined ? undefined : await residentBytes(parts.openFiles, pid);
  const told = Object.entries({ ...all, rssBytes }).filter(([, value]) => value !== undefined);
  return { running: true, ...Object.fromEntries(told) };
}

/** Linux; undefined where there is no /proc, or where it hides other users' processes. */
async function residentBytes(
  openFiles: (directory: string) => StateFiles,
  pid: number,
): Promise<number | undefined> {
  try {
    const text = new TextDecoder().decode(await openFiles(`/proc/${pid}`).read('status'));
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

function limitedStatus({ facts }: RunningAgent, nowMs: number) {
  const { envoyId, server, lastContactMs, contactFailure, lastRun } = facts;
  const { policyVersion: version, policyExpiresAtMs: expiresAtMs = 0 } = facts;
  const policy = version === undefined ? undefined : { version, expiresAtMs };
  return {
    scope: 'limited' as const,
    pendingResults: facts.pendingResults ?? 0,
    ...(envoyId === undefined ? {} : { envoyId }),
    ...(server === undefined ? {} : { server }),
    ...(lastContactMs === undefined ? {} : { lastContactMs }),
    ...(contactFailure === undefined ? {} : { contactFailure }),
    ...reachable(lastContactMs, contactFailure),
    ...(policy && { policy: { ...policy, expired: expiresAtMs !== 0 && nowMs >= expiresAtMs } }),
    ...(lastRun && { lastRun: { ...lastRun, resources: [] } }),
  };
}

/** A pass without news is not on disk; its resources stand as in the one that is. */
function withLive(
  stored: RunState['lastRun'],
  running: RunningAgent | undefined,
): (Omit<RunStatus, 'resources'> & { resources: readonly ResourceState[] }) | undefined {
  const live = running?.facts.lastRun;
  if (stored === undefined || live === undefined) return stored;
  const newer = live.startedAtMs > stored.startedAtMs && live.state === stored.state;
  return newer ? { ...live, resources: stored.resources } : stored;
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

async function resources(
  { resources: states }: { readonly resources: readonly ResourceState[] },
  files: StateFiles,
): Promise<ResourceStatus[]> {
  const changes = new Map<string, ChangeStatus>();
  for (const entry of await readHistory(files))
    if (entry.errorCode === '' && entry.action !== 'none' && entry.action !== 'skipped')
      changes.set(entry.id, changeOf(entry));
  return states.map(({ id, type, action, reason, errorCode }) => {
    const lastChange = changes.get(id);
    const remedy = remedyOf(errorCode);
    return {
      ...{ id, type, action, reason, errorCode },
      ...(remedy === undefined ? {} : { remedy }),
      ...(lastChange === undefined ? {} : { lastChange }),
    };
  });
}

/** What to do about a code; undefined for none, or one of another version. */
export function remedyOf(errorCode: string): string | undefined {
  return agentErrorCodes().get(errorCode as AgentErrorCode)?.remedy;
}

function changeOf({ atMs, action, reason, cause, policyVersion, diff }: HistoryEntry) {
  const lines = diff.split('\n');
  const count = (sign: string, head: string) =>
    lines.filter((line) => line.startsWith(sign) && !line.startsWith(head)).length;
  const [linesAdded, linesRemoved] = [count('+', '+++'), count('-', '---')];
  return { atMs, action, reason, cause, policyVersion, linesAdded, linesRemoved };
}

async function identityStatus(
  { settings, parts }: CommandContext,
  files: StateFiles,
  state: RunState,
): Promise<Partial<StatusDocument>> {
  let identity: Identity;
  try {
    identity = await loadIdentity(parts.openFiles(identityDirectory(settings)));
  } catch (error) {
    return { identityProblem: problem(error) };
  }
  const known = {
    envoyId: uuidToText(identity.envoyId),
    server: settings.server ?? identity.server,
    registeredAtMs: identity.registeredAtMs,
  };
  const verifier = parts.verifier();
  try {
    const { envoyId, bundlePublicKey: publicKey } = identity;
    const held = state.held === undefined ? {} : { held: state.held };
    const policy = await new BundleCache(files, verifier).load({ envoyId, publicKey, ...held });
    if (policy === undefined) return known;
    const signer = `sha256:${toHex(sha256(verifier, publicKey))}`;
    return { ...known, policy: policyStatus(policy, signer, parts.clock.nowMs()) };
  } catch (error) {
    return { ...known, policyProblem: problem(error) };
  }
}

function policyStatus(
  { manifest, document }: HeldPolicy,
  signer: string,
  nowMs: number,
): PolicyStatus {
  return {
    version: manifest.policyVersion,
    root: toHex(manifest.bundleRoot),
    issuedAtMs: manifest.issuedAtMs,
    expiresAtMs: manifest.expiresAtMs,
    expired: isExpired(manifest, nowMs),
    resources: document.modules.reduce((sum, module) => sum + module.resources.length, 0),
    signer,
  };
}

function problem(error: unknown): string {
  return error instanceof AgentError ? `${error.code}: ${error.message}` : String(error);
}
