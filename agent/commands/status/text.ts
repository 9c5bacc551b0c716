import { passState } from '../../converge/result.ts';
import { type Colour, duration, megabytes, relative, type TerminalText } from '../terminal-text.ts';
import type { ResourceStatus, RunStatus, StatusDocument } from './document.ts';
import { writeUpdate } from './update.ts';

const headWidth = 14;
const actionWidth = 9;

const colours: Partial<Record<ResourceStatus['action'], Colour>> = {
  failed: 'red',
  blocked: 'yellow',
  created: 'green',
  updated: 'green',
  deleted: 'green',
};

/** Which resources are shown. */
export interface ResourceFilter {
  readonly all: boolean;
  readonly failed: boolean;
  readonly type: string | undefined;
  readonly module: string | undefined;
}

/** Without a filter: whatever is not as declared. */
export function chosen(
  resources: readonly ResourceStatus[],
  { all, failed, type, module }: ResourceFilter,
): ResourceStatus[] {
  const narrowed = all || type !== undefined || module !== undefined;
  return resources.filter(
    (one) =>
      (type === undefined || one.type === type) &&
      (module === undefined || one.id.startsWith(`${module}/`)) &&
      (failed ? one.errorCode !== '' : narrowed || one.action !== 'none'),
  );
}

/** The whole status for a person. `nowMs` makes times relative. */
export function writeStatus(
  text: TerminalText,
  status: StatusDocument,
  resources: readonly ResourceStatus[],
  nowMs: number,
): void {
  const pair = (head: string, value: string, colour?: Colour) =>
    text.pair(head, value, headWidth, colour);
  pair('agent', agentLine(status), status.agent.running ? 'green' : 'red');
  pair('envoy', status.envoyId ?? `none (${status.identityProblem ?? 'not told'})`);
  pair('server', serverLine(status, nowMs), status.serverReachable === false ? 'red' : undefined);
  if (status.contactFailure !== undefined) text.line(`${' '.repeat(headWidth)}${failure(status)}`);
  pair('policy', policyLine(status, nowMs), status.policyProblem === undefined ? undefined : 'red');
  if (status.policy?.signer !== undefined) pair('signer', status.policy.signer);
  if (status.root !== '/') pair('root', status.root);
  pair('last pass', runLine(status, nowMs), runColour(status.lastRun));
  if (status.agent.running) pair('next pass', nextLine(status));
  pair('pending', `${status.pendingResults} results not yet settled by the server`);
  if (status.machine !== undefined) pair('machine', machineLine(status.machine));
  const { auditLog, update } = status;
  if (auditLog !== undefined)
    pair('audit log', auditLogLine(auditLog, nowMs), auditLog.conflict && 'red');
  if (update !== undefined) writeUpdate(text, update, headWidth, nowMs);
  if (status.scope === 'limited')
    text.line('Only root sees the resources: sudo vigo status', 'grey');
  if (resources.length > 0) text.line();
  for (const one of resources) writeResource(text, one, nowMs);
}

function writeResource(text: TerminalText, one: ResourceStatus, nowMs: number): void {
  const { id, action, reason, errorCode, remedy, lastChange } = one;
  const code = errorCode === '' ? '' : ` [${errorCode}]`;
  text.pair(action, `${id}  ${reason}${code}`, actionWidth, colours[action]);
  const margin = ' '.repeat(actionWidth);
  if (remedy !== undefined) text.line(`${margin}remedy: ${remedy}`);
  if (lastChange === undefined) return;
  const { atMs, cause, policyVersion, linesAdded, linesRemoved } = lastChange;
  const lines = linesAdded + linesRemoved === 0 ? '' : `, +${linesAdded} -${linesRemoved} lines`;
  const why = cause === 'policy' ? `policy ${policyVersion}` : 'drift';
  text.line(
    `${margin}last change ${relative(atMs, nowMs)}: ${lastChange.action} (${why}${lines})`,
    'grey',
  );
}

function agentLine({ agent, version }: StatusDocument): string {
  if (!agent.running) return `${version}, not running`;
  const facts = [
    agent.uptimeMs === undefined ? 'running' : `running for ${duration(agent.uptimeMs)}`,
    ...(agent.pid === undefined ? [] : [`pid ${agent.pid}`]),
    ...(agent.rssBytes === undefined ? [] : [megabytes(agent.rssBytes)]),
  ];
  return `${agent.version ?? version}, ${facts.join(', ')}`;
}

function serverLine({ server, serverReachable, lastContactMs }: StatusDocument, nowMs: number) {
  const name = server ?? 'none';
  if (lastContactMs === undefined)
    return `${name}, ${serverReachable === false ? 'never reached' : 'not asked yet'}`;
  const when = `${time(lastContactMs)} (${relative(lastContactMs, nowMs)})`;
  return serverReachable === false
    ? `${name}, UNREACHABLE; last answer ${when}`
    : `${name}, answered ${when}`;
}

function failure({ contactFailure }: StatusDocument): string {
  return `since then ${contactFailure}`;
}

function policyLine({ policy, policyProblem }: StatusDocument, nowMs: number): string {
  if (policy === undefined) return policyProblem ?? 'none yet';
  const { version, resources, root, expired, expiresAtMs } = policy;
  const validity =
    expiresAtMs === 0
      ? 'never expires'
      : `${expired ? 'EXPIRED' : 'valid until'} ${time(expiresAtMs)} (${relative(expiresAtMs, nowMs)})`;
  const parts = [
    `version ${version}`,
    ...(resources === undefined ? [] : [`${resources} resources`]),
    validity,
    ...(root === undefined ? [] : [`root ${root.slice(0, 16)}`]),
  ];
  return parts.join(', ');
}

function runColour(run: RunStatus | undefined): Colour | undefined {
  if (run === undefined) return undefined;
  const state = passState(run.summary);
  return state === 'failed' ? 'red' : state === 'degraded' ? 'yellow' : 'green';
}

function runLine({ lastRun }: StatusDocument, nowMs: number): string {
  if (lastRun === undefined) return 'none yet';
  const { created, updated, deleted, failed, blocked, skipped, total } = lastRun.summary;
  const kind = `${lastRun.dryRun ? ', dry run' : ''}${lastRun.offline ? ', offline' : ''}`;
  return (
    `${relative(lastRun.startedAtMs, nowMs)}, ${lastRun.state}${kind}: ${total} resources, ` +
    `${created + updated + deleted} changed, ${skipped} skipped, ${blocked} blocked, ` +
    `${failed} failed, ${Math.round(lastRun.durationMs)} ms`
  );
}

function nextLine({ agent }: StatusDocument): string {
  if (agent.phase === 'pass') return 'now';
  if (agent.nextPassInMs === undefined) return 'a single run is under way';
  const every = agent.intervalMs === undefined ? '' : `, every ${duration(agent.intervalMs)}`;
  return `in ${duration(agent.nextPassInMs)}${every}`;
}

function auditLogLine(log: NonNullable<StatusDocument['auditLog']>, nowMs: number): string {
  const { entries, seenAtMs, conflict, restored, contradictions } = log;
  const parts = [`${entries} entries, seen ${relative(seenAtMs, nowMs)}`];
  if (conflict !== undefined)
    parts.unshift(`CHANGED BY SOMEBODY ${relative(conflict.sinceMs, nowMs)} [${conflict.code}]`);
  if (restored !== undefined) parts.push(`restored by ${restored.by}`);
  if (contradictions > 0) parts.push(`${contradictions} contradictions in audit-evidence.json`);
  return parts.join(', ');
}

function machineLine(machine: NonNullable<StatusDocument['machine']>): string {
  const { hostname, os, kernel, processors, memoryBytes } = machine;
  const parts = [
    hostname,
    os,
    kernel === undefined ? undefined : `kernel ${kernel}`,
    processors === undefined ? undefined : `${processors} processors`,
    memoryBytes === undefined ? undefined : megabytes(memoryBytes),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

export function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
