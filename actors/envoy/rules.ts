import type { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import { protocolVersion } from '../../agent/protocol/limits.ts';
import type { RequestVerdict } from '../../agent/protocol/request.ts';
import type { IdentityRow } from '../policy/tables.ts';
import {
  afterCheckIn,
  afterRun,
  type Convergence,
  type RunOutcome,
  stateOf,
} from './convergence.ts';
import type { requestErrors } from './errors.ts';
import type { EnvoyRecord } from './record.ts';
import type { EnvoyState } from './states.ts';

/** Why a request is not carried out; an answer, not an accident, so it is returned, not thrown. */
export interface Refusal {
  readonly code: keyof typeof requestErrors;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly retryAfterMs: number;
}

/** How often the database hears of an envoy of which nothing changes. */
export const seenEveryMs = 60_000;
/** Told before any time that counts; 0 = a change that was not told yet. */
const longAgoMs = 1;

function refuse(code: Refusal['code'], details: Refusal['details'] = {}): Refusal {
  return { code, details, retryAfterMs: 0 };
}

/** Before any cryptography: an envoy that is not, or no longer, ours. */
export function refuseEnvoy(
  envoyId: string,
  record: EnvoyRecord,
  identity: IdentityRow | undefined,
): Refusal | undefined {
  if (identity === undefined) return refuse('REQUEST_ENVOY_UNKNOWN', { envoyId });
  if (identity.revoked || record.revoked) return refuse('REQUEST_ENVOY_REVOKED', { envoyId });
  return undefined;
}

/** Why a request whose verdict is not 'ok' is refused. */
export function refuseVerdict(
  verdict: Exclude<RequestVerdict, 'ok'>,
  request: Pick<SignedRequest, 'protocolVersion' | 'timestampMs' | 'sequence'>,
  record: EnvoyRecord,
  nowMs: number,
  windowMs: number,
): Refusal {
  switch (verdict) {
    case 'version': {
      const version = request.protocolVersion;
      return refuse('REQUEST_PROTOCOL_VERSION', { version, served: protocolVersion });
    }
    case 'malformed':
      return refuse('REQUEST_MALFORMED', { reason: 'a field is incomplete or impossible' });
    case 'clock-skew': {
      const skewMs = Math.round(request.timestampMs - nowMs);
      return refuse('REQUEST_CLOCK_SKEW', { skewMs, windowMs });
    }
    case 'replayed':
      return refuse('REQUEST_REPLAYED', { sequence: request.sequence, last: record.sequence });
    case 'signature':
      return refuse('REQUEST_SIGNATURE');
  }
}

/** The record of an envoy that this shard meets for the first time, or whose state was lost. */
export function firstRecord(empty: EnvoyRecord, identity: IdentityRow | undefined): EnvoyRecord {
  const settled = identity?.settledReportSequence ?? 0;
  empty.durableReportSequence = settled;
  empty.settledReportSequence = settled;
  return empty;
}

/**
 * After the signature was verified. Changes `record`. An envoy that was silent for `retellAfterMs` may
 * have been called offline, so the database hears of it again.
 */
export function acceptRequest(
  record: EnvoyRecord,
  request: Pick<SignedRequest, 'timestampMs' | 'sequence'>,
  nowMs: number,
  retellAfterMs = Number.POSITIVE_INFINITY,
): void {
  if (nowMs - record.lastSeenMs >= retellAfterMs) {
    // Not as a change: after a pause of the whole fleet so many events would keep its server from recovering.
    record.seenEmittedMs = Math.min(record.seenEmittedMs, longAgoMs);
  }
  record.sequence = request.sequence;
  record.timestampMs = request.timestampMs;
  record.lastSeenMs = nowMs;
}

/** What is in force for one envoy; version 0 = nothing was published yet. */
export interface PolicyForEnvoy {
  readonly version: number;
  /** Of the policy when `root` was looked up. */
  readonly revision: number;
  /** Undefined: no bundle is assigned to this envoy (yet). */
  readonly root: Uint8Array | undefined;
}

export type BundleAnswer = 'same' | 'manifest' | 'document';

/**
 * True when the envoy enforces what it was last found to be assigned, so that nothing needs to be
 * looked up. `current` is the policy in force.
 */
export function knownSame(
  record: EnvoyRecord,
  body: CheckInRequest,
  current: { readonly version: number; readonly revision: number },
): boolean {
  return (
    body.policyVersion === current.version &&
    record.servedRevision === current.revision &&
    record.servedRootEquals(body.bundleRoot)
  );
}

/**
 * Which part of the policy the envoy needs. A manifest with less than half of its life left is
 * renewed; `maxAgeMs` 0 = manifests do not expire.
 */
export function bundleFor(
  body: CheckInRequest,
  policy: Omit<PolicyForEnvoy, 'revision'>,
  maxAgeMs: number,
  nowMs: number,
): BundleAnswer {
  const { root, version } = policy;
  if (version === 0 || root === undefined) return 'same';
  if (Buffer.compare(body.bundleRoot, root) !== 0) return 'document';
  if (body.policyVersion !== version) return 'manifest';
  return renewalDue(body.bundleExpiresAtMs, maxAgeMs, nowMs) ? 'manifest' : 'same';
}

export function renewalDue(expiresAtMs: number, maxAgeMs: number, nowMs: number): boolean {
  const expires = expiresAtMs !== 0;
  if (expires !== maxAgeMs > 0) return true;
  if (!expires) return false;
  const leftMs = expiresAtMs - nowMs;
  // A manifest issued under a longer maximum age is shortened to the one in force.
  return leftMs < maxAgeMs / 2 || leftMs > maxAgeMs;
}

/** What a report says about the envoy as a whole. */
export interface ReportedOutcome extends RunOutcome {
  readonly bundleRoot: Uint8Array;
  readonly dryRun: boolean;
}

/** The state of an envoy that is heard of. */
export function envoyStateOf(record: EnvoyRecord): EnvoyState {
  return stateOf({ lastRun: record.state, driftRuns: record.driftRuns });
}

/**
 * A pass's outcome, known as soon as it is reported: a rollout need not wait for the next check-in.
 * Late reports of other policy say nothing about now. Changes `record`; true when the database is to
 * hear of it.
 */
export function recordOutcome(record: EnvoyRecord, outcome: ReportedOutcome): boolean {
  const { bundleRoot, dryRun } = outcome;
  if (dryRun || !record.servedRootEquals(bundleRoot)) return false;
  const changed = converge(record, (before) => afterRun(before, outcome));
  record.setAgentRoot(bundleRoot);
  if (changed) record.seenEmittedMs = 0;
  return changed;
}

/** What the database is to hear of a check-in: a change, that the envoy is there, or nothing. */
export type CheckInNews = 'changed' | 'seen' | 'none';

/** Records what the envoy said. Changes `record`. A change stays news until it was told. */
export function recordCheckIn(
  record: EnvoyRecord,
  body: CheckInRequest,
  nowMs: number,
): CheckInNews {
  const moved = converge(record, (before) => afterCheckIn(before, body.state));
  const changed =
    moved ||
    record.policyVersion !== body.policyVersion ||
    record.agentVersion !== body.agentVersion;
  record.policyVersion = body.policyVersion;
  record.setAgentRoot(body.bundleRoot);
  if (changed) record.agentVersion = body.agentVersion;
  reconcileReports(record, body);
  if (changed) record.seenEmittedMs = 0;
  if (record.seenEmittedMs === 0) return 'changed';
  return nowMs - record.seenEmittedMs >= seenEveryMs ? 'seen' : 'none';
}

/** True when the envoy's state is another one now. */
function converge(record: EnvoyRecord, rule: (before: Convergence) => Convergence): boolean {
  const before = { lastRun: record.state, driftRuns: record.driftRuns };
  const { lastRun, driftRuns } = rule(before);
  if (lastRun === before.lastRun && driftRuns === before.driftRuns) return false;
  record.state = lastRun;
  record.driftRuns = driftRuns;
  return stateOf(before) !== stateOf({ lastRun, driftRuns });
}

/**
 * Sets the place from which reports are expected. An envoy that lost its memory counts from the
 * start: it is told the highest number kept here and goes on above it. An envoy that no longer
 * holds what this server lacks (a database restored from an old backup) moves the server forward.
 */
function reconcileReports(record: EnvoyRecord, body: CheckInRequest): void {
  record.reportSequence = body.reportSequence;
  const held = body.oldestReportSequence;
  if (held > 0 && held - 1 > record.durableReportSequence) record.durableReportSequence = held - 1;
}

/** The `settled_report_sequence` of the answer. */
export function settledForAnswer(record: EnvoyRecord): number {
  const forgotten = record.reportSequence < record.durableReportSequence;
  return forgotten ? record.durableReportSequence : record.settledReportSequence;
}

/**
 * Reports come in order. One that was kept already is acknowledged again; one beyond the next
 * expected number is not kept, and the acknowledgement names the number from which to send again.
 * So a rebuilt server never acknowledges past reports that only the envoy still has.
 */
export type ReportDecision = 'keep' | 'duplicate' | 'gap';

export function decideReport(record: EnvoyRecord, reportSequence: number): ReportDecision {
  if (reportSequence <= record.durableReportSequence) return 'duplicate';
  return reportSequence === record.durableReportSequence + 1 ? 'keep' : 'gap';
}
