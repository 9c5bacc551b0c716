import { hashLength, type Signer } from '../../agent/protocol/crypto.ts';
import { ReportResponse, ReportTraitsResponse } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { SignedRehearsal } from '../../agent/protocol/gen/vigo/v1/bundle.ts';
import type { SignedRequest } from '../../agent/protocol/gen/vigo/v1/envelope.ts';
import { protocolVersion } from '../../agent/protocol/limits.ts';
import type { SignedMethodName } from '../../agent/protocol/methods.ts';
import type { RequestVerifier } from '../../agent/protocol/request.ts';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { StoreReader } from '../../runtime/store.ts';
import type { RehearsalView } from '../plan/rehearsal-view.ts';
import type { EnvoySeen, FleetEvents } from '../sink/messages.ts';
import { AnswerEncoder } from './answer-encoder.ts';
import type { AuditView } from './audit-view.ts';
import { answerBundle } from './bundle-answer.ts';
import { silenceLimitMs } from './convergence.ts';
import type { LastSeen } from './last-seen.ts';
import type { Answer, EnvoyMessages } from './messages.ts';
import { nextCheckInMs } from './pacing.ts';
import type { PolicyView } from './policy-view.ts';
import { EnvoyRecord, envoyTable } from './record.ts';
import {
  acceptRequest,
  decideReport,
  envoyStateOf,
  firstRecord,
  type Refusal,
  recordCheckIn,
  recordOutcome,
  refuseEnvoy,
  refuseVerdict,
  settledForAnswer,
} from './rules.ts';
import { answerSecrets } from './secret-answer.ts';
import type { SecretView } from './secret-view.ts';
import type { SilenceWatch } from './silence-watch.ts';
import { stateNumber } from './states.ts';
import { answerFetch, answerUpdate, envoyUpdateTable, takeUpdateNews } from './update-answer.ts';
import type { UpdateView } from './update-view.ts';

/**
 * An envoy that checks in at a short interval stays in memory between two check-ins: half a kilobyte
 * beside the 60 of its connection, and no store read and no activation per check-in.
 */
const idleAfterMsMax = 60_000;
/** Requests of one envoy that may wait for each other. */
export const envoyMailboxLimit = 16;

export interface EnvoyDependencies {
  readonly policy: PolicyView;
  readonly secrets: SecretView;
  readonly verifier: RequestVerifier;
  /** What the verifier allows, for the words of a refusal. */
  readonly clockSkewMs: number;
  /** Of the bundle key. */
  readonly signer: Signer;
  /** Of this thread's store. */
  readonly storeId: number;
  readonly intervalMs: number;
  /** 0 = manifests do not expire. */
  readonly bundleMaxAgeMs: number;
  /** False while the outbox keeps its last room for reports. */
  readonly mayTell: () => boolean;
  /** Who is still there; see silence-watch.ts. */
  readonly watch: Pick<SilenceWatch, 'seen'>;
  readonly lastSeen: Pick<LastSeen, 'note'>;
  /** Ends the connections of an envoy. */
  readonly disconnect: (envoyId: string) => void;
  /** Absent: nobody is asked to rehearse. */
  readonly rehearsals?: RehearsalView;
  /** Absent: nobody watches the audit log. */
  readonly audit?: AuditView;
  readonly updates: UpdateView;
}

interface EnvoyParts extends EnvoyDependencies {
  readonly answers: AnswerEncoder;
}

type EnvoyTurn = Turn<EnvoyRecord>;

/** One managed machine. Its state is its hot record. */
export function envoyKind(given: EnvoyDependencies): ActorKind<EnvoyRecord, EnvoyMessages> {
  const dependencies: EnvoyParts = { ...given, answers: new AnswerEncoder() };
  return {
    name: 'envoy',
    placement: 'fleet',
    mailboxLimit: envoyMailboxLimit,
    idleAfterMs: Math.min(2 * dependencies.intervalMs, idleAfterMsMax),
    restart: { maxRestarts: 5, withinMs: 60_000 },
    tables: [envoyTable, envoyUpdateTable],
    activate: ({ key, store }) => load(dependencies.policy, key, store),
    handlers: {
      checkIn: (turn, payload) => checkIn(dependencies, turn, payload),
      report: (turn, payload) => report(dependencies, turn, payload),
      reportTraits: (turn, payload) => reportTraits(dependencies, turn, payload),
      resolveSecrets: (turn, payload) => resolveSecrets(dependencies, turn, payload),
      fetchRelease: (turn, payload) => fetchRelease(dependencies, turn, payload),
      settled: (turn, { reportSequence }) => {
        const record = turn.state.copy();
        record.settledReportSequence = Math.max(record.settledReportSequence, reportSequence);
        record.durableReportSequence = Math.max(record.durableReportSequence, reportSequence);
        turn.state = record;
        turn.putSoon(envoyTable, turn.key, record);
        return undefined;
      },
      revoked: (turn) => {
        const record = turn.state.copy();
        record.revoked = true;
        turn.state = record;
        turn.put(envoyTable, turn.key, record);
        dependencies.policy.forget(turn.key);
        dependencies.disconnect(turn.key);
        return undefined;
      },
    },
  };
}

function load(policy: PolicyView, envoyId: string, store: StoreReader): EnvoyRecord {
  const own = store.get(envoyTable, envoyId);
  return own ?? firstRecord(EnvoyRecord.empty(), policy.identity(envoyId));
}

/** A candidate to dry-run, when this envoy is asked. */
function rehearsalFor(
  { rehearsals, signer }: EnvoyDependencies,
  turn: EnvoyTurn,
  request: SignedRequest,
): SignedRehearsal | undefined {
  return rehearsals?.signedFor(turn.key, request.envoyId, signer);
}

/**
 * The turn's record, with the request accepted; or why the request is refused. It is a copy where the
 * turn stores it for certain: what such a turn leaves behind when it fails must not reach the store.
 */
function admit(
  { policy, verifier, clockSkewMs, watch, intervalMs }: EnvoyDependencies,
  turn: EnvoyTurn,
  method: SignedMethodName,
  request: SignedRequest,
  stored: 'soon' | 'certainly',
): EnvoyRecord | Refusal {
  const identity = policy.identity(turn.key);
  const refusal = refuseEnvoy(turn.key, turn.state, identity);
  if (refusal !== undefined || identity === undefined) return refusal as Refusal;
  const nowMs = turn.ports.clock.nowMs();
  const { sequence } = turn.state;
  const verdict = verifier.verify(method, request, identity.publicKey, sequence, nowMs);
  if (verdict !== 'ok') {
    return refuseVerdict(verdict, request, turn.state, nowMs, clockSkewMs);
  }
  const record = stored === 'soon' ? turn.state : turn.state.copy();
  // Less than the silence after which it is offline: the two clocks need not agree to the millisecond.
  acceptRequest(record, request, nowMs, (2 / 3) * silenceLimitMs(intervalMs));
  watch.seen(turn.key);
  turn.state = record;
  return record;
}

function checkIn(
  dependencies: EnvoyParts,
  turn: EnvoyTurn,
  { request, body }: EnvoyMessages['checkIn']['payload'],
): Answer {
  const { update } = body;
  const stored = update === undefined ? 'soon' : 'certainly';
  const record = admit(dependencies, turn, 'CheckIn', request, stored);
  if (!(record instanceof EnvoyRecord)) return record;
  const nowMs = record.lastSeenMs;
  const news = recordCheckIn(record, body, nowMs);
  if (news === 'changed' && dependencies.mayTell()) tellSeen(turn, record);
  if (news === 'seen') dependencies.lastSeen.note(seenNow(turn.key, record));
  const bundle = answerBundle(dependencies, turn, { record, request, body, nowMs });
  if (update === undefined) {
    turn.putSoon(envoyTable, turn.key, record);
    turn.replyAfter('turn');
  } else {
    takeUpdateNews(dependencies, turn, update);
    turn.put(envoyTable, turn.key, record);
    turn.replyAfter('durable');
  }
  return dependencies.answers.encode({
    protocolVersion,
    nextCheckInMs: nextCheckInMs(turn.key, nowMs, dependencies.intervalMs),
    bundle,
    wantTraits: body.traitsHash.length > 0 && !record.traitsHashEquals(body.traitsHash),
    wantStream: false,
    storeId: dependencies.storeId,
    settledReportSequence: settledForAnswer(record),
    traceparent: request.traceparent,
    rehearsal: bundle === undefined ? rehearsalFor(dependencies, turn, request) : undefined,
    update: answerUpdate(dependencies, turn, request, body),
    audit: dependencies.audit?.answer(turn, body),
  });
}

function report(
  dependencies: EnvoyDependencies,
  turn: EnvoyTurn,
  { request, reportSequence, outcome }: EnvoyMessages['report']['payload'],
): Answer {
  const record = admit(dependencies, turn, 'Report', request, 'certainly');
  if (!(record instanceof EnvoyRecord)) return record;
  if (decideReport(record, reportSequence) === 'keep') {
    record.durableReportSequence = reportSequence;
    if (recordOutcome(record, outcome) && dependencies.mayTell()) tellSeen(turn, record);
    emit(turn, 'run.reported', {
      envoyId: turn.key,
      report: request.body,
      receivedAtMs: record.lastSeenMs,
    });
  }
  // Also for a duplicate: the first copy may be committed and not yet durable.
  turn.put(envoyTable, turn.key, record);
  turn.replyAfter('durable');
  return ReportResponse.encode({
    protocolVersion,
    durableReportSequence: record.durableReportSequence,
    storeId: dependencies.storeId,
    traceparent: request.traceparent,
  }).finish();
}

function reportTraits(
  dependencies: EnvoyDependencies,
  turn: EnvoyTurn,
  { request, traitsJson }: EnvoyMessages['reportTraits']['payload'],
): Answer {
  const record = admit(dependencies, turn, 'ReportTraits', request, 'certainly');
  if (!(record instanceof EnvoyRecord)) return record;
  const digest = new Uint8Array(hashLength);
  dependencies.signer.sha256Into(digest, traitsJson);
  const hash = digest.slice(0, traitsHashLength);
  if (!record.traitsHashEquals(hash)) {
    record.setTraitsHash(hash);
    emit(turn, 'traits.reported', { envoyId: turn.key, hash, traitsJson });
  }
  turn.put(envoyTable, turn.key, record);
  turn.replyAfter('durable');
  const { traceparent } = request;
  return ReportTraitsResponse.encode({ protocolVersion, traceparent }).finish();
}

async function resolveSecrets(
  dependencies: EnvoyDependencies,
  turn: EnvoyTurn,
  payload: EnvoyMessages['resolveSecrets']['payload'],
): Promise<Answer> {
  const record = admit(dependencies, turn, 'ResolveSecrets', payload.request, 'soon');
  if (!(record instanceof EnvoyRecord)) return record;
  turn.putSoon(envoyTable, turn.key, record);
  turn.replyAfter('turn');
  return await answerSecrets(dependencies, turn, payload);
}

function fetchRelease(
  dependencies: EnvoyDependencies,
  turn: EnvoyTurn,
  { request, body }: EnvoyMessages['fetchRelease']['payload'],
): Answer | Promise<Answer> {
  const record = admit(dependencies, turn, 'FetchRelease', request, 'soon');
  if (!(record instanceof EnvoyRecord)) return record;
  turn.putSoon(envoyTable, turn.key, record);
  turn.replyAfter('turn');
  return answerFetch(dependencies, turn, request, body);
}

/** The traits are known by the first half of their SHA-256. */
const traitsHashLength = 16;

function tellSeen(turn: EnvoyTurn, record: EnvoyRecord): void {
  emit(turn, 'envoy.seen', seenNow(turn.key, record));
}

/** For the database, which is not told again for a while. Changes `record`. */
function seenNow(envoyId: string, record: EnvoyRecord): EnvoySeen {
  record.seenEmittedMs = record.lastSeenMs;
  return {
    envoyId,
    lastSeenMs: record.lastSeenMs,
    state: stateNumber(envoyStateOf(record)),
    driftRuns: record.driftRuns,
    policyVersion: record.policyVersion,
    agentVersion: record.agentVersion,
  };
}

function emit<T extends keyof FleetEvents>(turn: EnvoyTurn, type: T, body: FleetEvents[T]): void {
  turn.emit({ type, atMs: turn.state.lastSeenMs, body });
}
