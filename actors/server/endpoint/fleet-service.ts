import { decodeMessage, type MessageType } from '../../../agent/protocol/codec.ts';
import { RegisterResponse, type ReportRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { SignedRequest } from '../../../agent/protocol/gen/vigo/v1/envelope.ts';
import { protocolVersion } from '../../../agent/protocol/limits.ts';
import { methods, register, type SignedMethodName } from '../../../agent/protocol/methods.ts';
import { uuidToBytes } from '../../../agent/protocol/uuid.ts';
import type { ActorSystem } from '../../../runtime/actor.ts';
import { RuntimeError } from '../../../runtime/errors.ts';
import { registrationAddress } from '../../enrollment/messages.ts';
import { type Answer, type EnvoyMessages, envoyAddress } from '../../envoy/messages.ts';
import type { ReportedOutcome } from '../../envoy/rules.ts';
import type { Connection } from './connections.ts';
import type { Counters } from './counters.ts';
import type { Outcome, Serve } from './grpc-server.ts';
import { answerDeadlineMs } from './limits.ts';
import { type RefusedCall, refusal, refusedByActor, refusedCall } from './refusals.ts';
import { refuseBadTraits } from './traits-check.ts';

export interface FleetServiceParts {
  readonly system: Pick<ActorSystem, 'ask' | 'claim' | 'ports'>;
  readonly counters: Counters;
  /** Ed25519, 32 bytes; agents pin it. */
  readonly bundlePublicKey: Uint8Array;
  /** Keys that sign releases; none: the bundle key does. */
  readonly releasePublicKeys: readonly Uint8Array[];
  readonly intervalMs: number;
  /** Bytes of one report. */
  readonly reportLimit: number;
  /** Every refusal passes here; what is security goes to the audit log. */
  readonly refused: (call: RefusedCall, who: Refused) => void;
  readonly onServed?: (method: string, details: Readonly<Record<string, unknown>>) => void;
}

/** Whose request was refused, as far as it is known. */
export interface Refused {
  readonly envoyId: string | undefined;
  readonly peer: string;
  readonly traceparent: string;
}

/** Leaves a request early; never reaches the outside. */
class EarlyRefusal extends Error {
  readonly call: RefusedCall;
  constructor(call: RefusedCall) {
    super(call.code);
    this.call = call;
  }
}

/** The request of a connection whose certificate names the same envoy as its envelope. */
interface Identified {
  readonly connection: Connection;
  readonly envoyId: string;
  readonly request: SignedRequest;
}

/** What stands behind each path of the service. */
export function createFleetService(parts: FleetServiceParts): Readonly<Record<string, Serve>> {
  const { counters } = parts;
  return {
    [register.path]: (bytes, connection) => serveRegister(parts, bytes, connection),
    [methods.CheckIn.path]: signed(parts, 'CheckIn', (identified) => {
      const { request } = identified;
      const body = decode('CheckIn', methods.CheckIn.body, request.body, methods.CheckIn.bodyLimit);
      counters.checkIns += 1;
      return askEnvoy(parts, identified, 'checkIn', { request, body });
    }),
    [methods.Report.path]: signed(parts, 'Report', (identified) => {
      const { request } = identified;
      const { body } = methods.Report;
      const report = decode('Report', body, request.body, parts.reportLimit);
      const { reportSequence } = report;
      counters.reports += 1;
      const outcome = outcomeOf(report);
      return askEnvoy(parts, identified, 'report', { request, reportSequence, outcome });
    }),
    [methods.ReportTraits.path]: signed(parts, 'ReportTraits', (identified) => {
      const { request } = identified;
      const { body, bodyLimit } = methods.ReportTraits;
      const { traitsJson } = decode('ReportTraits', body, request.body, bodyLimit);
      const fault = refuseBadTraits(traitsJson);
      if (fault !== undefined) throw new EarlyRefusal(fault);
      counters.traits += 1;
      return askEnvoy(parts, identified, 'reportTraits', { request, traitsJson });
    }),
    [methods.ResolveSecrets.path]: signed(parts, 'ResolveSecrets', (identified) => {
      const { request } = identified;
      const { body: type, bodyLimit } = methods.ResolveSecrets;
      const body = decode('ResolveSecrets', type, request.body, bodyLimit);
      return askEnvoy(parts, identified, 'resolveSecrets', { request, body });
    }),
    [methods.FetchRelease.path]: signed(parts, 'FetchRelease', (identified) => {
      const { request } = identified;
      const { body: type, bodyLimit } = methods.FetchRelease;
      const body = decode('FetchRelease', type, request.body, bodyLimit);
      return askEnvoy(parts, identified, 'fetchRelease', { request, body });
    }),
    [methods.Work.path]: signed(parts, 'Work', notOffered('Work')),
  };
}

function outcomeOf(report: ReportRequest): ReportedOutcome {
  const { state, bundleRoot, dryRun, policyChanged, summary } = report;
  const { created = 0, updated = 0, deleted = 0, blocked = 0 } = summary ?? {};
  const changes = created + updated + deleted;
  return { state, bundleRoot, dryRun, policyChanged, changes, blocked };
}

/** Known by the contract, without a purpose until the server has work to give. */
function notOffered(method: SignedMethodName): () => Promise<Answer> {
  return () => Promise.reject(new EarlyRefusal(refusal('REQUEST_NOT_OFFERED', { method })));
}

/**
 * The common way of a signed request: certificate, envelope, identity, then the method. Promises are
 * chained by hand, because each `await` on this way is another turn of the microtask queue per check-in.
 */
function signed(
  parts: FleetServiceParts,
  method: SignedMethodName,
  serve: (identified: Identified) => Promise<Answer>,
): Serve {
  const { requestLimit } = methods[method];
  const { counters, system } = parts;
  const latency = method === 'CheckIn' ? counters.latency : undefined;
  return (bytes, connection) => {
    let traceparent = '';
    const refused = (error: unknown) => refuse(parts, connection, error, traceparent);
    try {
      const { envoyId } = connection;
      if (envoyId === undefined) {
        throw new EarlyRefusal(refusal('REQUEST_CERTIFICATE_REQUIRED'));
      }
      const request = decode(method, SignedRequest, bytes, requestLimit);
      traceparent = request.traceparent;
      if (!connection.envoyIdBytes?.equals(request.envoyId)) {
        throw new EarlyRefusal(refusal('REQUEST_IDENTITY_MISMATCH'));
      }
      const identified = { connection, envoyId, request };
      const startMs = system.ports.clock.monotonicMs();
      const answered =
        connection.claim === true
          ? serve(identified)
          : claimed(parts, connection, envoyId).then(() => serve(identified));
      return answered.then((answer) => {
        latency?.add(system.ports.clock.monotonicMs() - startMs);
        parts.onServed?.(method, { envoyId, traceparent });
        return answer instanceof Uint8Array
          ? answer
          : refused(new EarlyRefusal(refusedByActor(answer)));
      }, refused);
    } catch (error) {
      return Promise.resolve(refused(error));
    }
  };
}

function refuse(
  parts: FleetServiceParts,
  connection: Connection,
  error: unknown,
  traceparent: string,
): Outcome {
  const { envoyId, peer } = connection;
  // Another connection of this envoy took the actor away; the next request takes it back.
  if (error instanceof RuntimeError && lost.has(error.code)) connection.claim = undefined;
  const refused = error instanceof EarlyRefusal ? error.call : refusedCall(error);
  parts.counters.refused(refused.code);
  parts.refused(refused, { envoyId, peer, traceparent });
  return { refused, traceparent };
}

/** Brings the envoy's actor to this shard, once per connection. */
function claimed(
  { system }: FleetServiceParts,
  connection: Connection,
  envoyId: string,
): Promise<void> {
  if (typeof connection.claim === 'object') return connection.claim;
  const claim = system.claim(envoyAddress(envoyId)).then(
    () => {
      connection.claim = true;
    },
    (error: unknown) => {
      connection.claim = undefined;
      throw error;
    },
  );
  connection.claim = claim;
  return claim;
}

function askEnvoy<
  T extends 'checkIn' | 'report' | 'reportTraits' | 'resolveSecrets' | 'fetchRelease',
>(
  { system }: FleetServiceParts,
  { envoyId, request }: Identified,
  type: T,
  payload: EnvoyMessages[T]['payload'],
): Promise<Answer> {
  const { traceparent } = request;
  const options = { deadlineMs: answerDeadlineMs, ...(traceparent === '' ? {} : { traceparent }) };
  return system.ask(envoyAddress(envoyId), type, payload, options);
}

const lost: ReadonlySet<string> = new Set(['RUNTIME_CLAIM_LOST', 'RUNTIME_NOT_PLACED']);

async function serveRegister(
  parts: FleetServiceParts,
  bytes: Buffer,
  connection: Connection,
): Promise<Outcome> {
  const { peer } = connection;
  let traceparent = '';
  try {
    const request = decode('Register', register.request, bytes, register.requestLimit);
    traceparent = request.traceparent;
    const version = request.protocolVersion;
    if (version !== protocolVersion) {
      const details = { version, served: protocolVersion };
      throw new EarlyRefusal(refusal('REQUEST_PROTOCOL_VERSION', details));
    }
    const before = connection.envoyId;
    const { envoyId, certificateChain } = await parts.system.ask(
      registrationAddress(request.token),
      'register',
      {
        token: request.token,
        hostname: request.hostname,
        certificateRequest: request.certificateRequest,
        agentVersion: request.agentVersion,
        peerAddress: peer.slice(0, peer.lastIndexOf(':')),
        ...(before === undefined ? {} : { envoyId: before }),
      },
      { deadlineMs: answerDeadlineMs, ...(traceparent === '' ? {} : { traceparent }) },
    );
    parts.counters.registrations += 1;
    return RegisterResponse.encode({
      protocolVersion,
      envoyId: Buffer.from(uuidToBytes(envoyId) ?? []),
      certificateChain: certificateChain.map((der) => Buffer.from(der)),
      bundlePublicKey: Buffer.from(parts.bundlePublicKey),
      intervalMs: parts.intervalMs,
      serverTimeMs: parts.system.ports.clock.nowMs(),
      traceparent,
      releasePublicKeys: parts.releasePublicKeys.map((key) => Buffer.from(key)),
    }).finish();
  } catch (error) {
    return refuse(parts, connection, error, traceparent);
  }
}

/** Throws the refusal for bytes that are too many or not the message. */
function decode<T>(method: string, type: MessageType<T>, bytes: Uint8Array, limit: number): T {
  if (bytes.length > limit) {
    const details = { size: bytes.length, limit, method };
    throw new EarlyRefusal({ ...refusal('REQUEST_TOO_LARGE', details), retryAfterMs: 0 });
  }
  try {
    return decodeMessage(type, bytes, limit);
  } catch {
    throw new EarlyRefusal(refusal('REQUEST_MALFORMED', { reason: `not a ${method} message` }));
  }
}
