import type { AuditEvent } from '../audit/event.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { codeOf, ServerError, type ServerErrorCode } from '../errors.ts';
import type { IdentityRow } from '../policy/tables.ts';
import { publishAddress } from '../publish/messages.ts';
import type { EnvoyCertificate } from '../server/certificate-authority.ts';
import { type SinkRecord, sinkAddress, type TokenRecord } from '../sink/messages.ts';
import { certificateRecord } from './certificate-record.ts';
import {
  type EnrollmentDependencies,
  type EnrollmentTurn,
  newId,
  sinkDeadlineMs,
  writeDurably,
} from './context.ts';
import type { EnrollmentMessages } from './messages.ts';
import { isHostname, tokenRefusal } from './rules.ts';
import { type EnrollmentToken, parseToken, pinLength } from './token.ts';

type Registration = EnrollmentMessages['register']['payload'];
type Registered = EnrollmentMessages['register']['reply'];

const assignDeadlineMs = 5000;
const agentVersionLimit = 64;
const hostnameShown = 253;

/**
 * Turns the bearer of a token into an envoy. Nothing is told apart before the secret is proven: an
 * unknown token, a wrong secret and another server's token get the same code after the same work.
 */
export async function register(
  dependencies: EnrollmentDependencies,
  turn: EnrollmentTurn,
  registration: Registration,
): Promise<Registered> {
  const { failures } = dependencies;
  const nowMs = turn.ports.clock.nowMs();
  const { peerAddress } = registration;
  const retryAfterMs = failures.waitMs(peerAddress, nowMs);
  if (retryAfterMs > 0) {
    await audit(turn, registration, 'ENROLLMENT_RATE_LIMITED', undefined);
    throw new ServerError('ENROLLMENT_RATE_LIMITED', { peerAddress, retryAfterMs });
  }
  const token = parseToken(registration.token);
  try {
    checkForm(registration);
    return await enroll(dependencies, turn, registration, token);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    failures.failed(peerAddress, nowMs);
    await audit(turn, registration, error.code, token?.id);
    throw error;
  }
}

async function enroll(
  dependencies: EnrollmentDependencies,
  turn: EnrollmentTurn,
  registration: Registration,
  token: EnrollmentToken | undefined,
): Promise<Registered> {
  const record = await provenToken(dependencies, turn, token);
  const nowMs = turn.ports.clock.nowMs();
  const { hostname } = registration;
  const refusal = tokenRefusal(record, hostname, nowMs);
  if (refusal === 'ENROLLMENT_TOKEN_USED') {
    return await enrollAgain(dependencies, turn, registration, record);
  }
  if (refusal !== undefined) throw new ServerError(refusal, { hostname });
  const known = stillEnrolled(dependencies, turn, registration);
  if (known !== undefined) return await renew(dependencies, turn, registration, record, known);
  const { identities, envoyLimit } = dependencies;
  if (turn.store.count(identities) >= envoyLimit) {
    throw new ServerError('ENROLLMENT_FLEET_FULL', { limit: envoyLimit });
  }
  const envoyId = newId(turn.ports.random);
  const certificate = await sign(dependencies, registration, envoyId);
  const { publicKey, serial } = certificate;
  const identity = { envoyId, hostname, publicKey, revoked: false, enrolledAtMs: nowMs };
  const details = { hostname, token: record.id, serial, peer: registration.peerAddress };
  const event = newAuditEvent(turn, 'enrollment.accepted', `envoy:${envoyId}`, envoyId, details);
  const { agentVersion } = registration;
  const enrolled = { ...identity, settledReportSequence: 0 };
  await writeFirst(turn, event, [
    { record: 'envoy', identity: enrolled, agentVersion, ...certificateRecord(certificate) },
    { record: 'tokenUsed', id: record.id, envoyId, atMs: nowMs },
  ]);
  const row: IdentityRow = { hostname, publicKey, revoked: false, settledReportSequence: 0 };
  turn.put(identities, envoyId, row);
  await assign(turn, envoyId, hostname);
  return registered(dependencies, envoyId, certificate);
}

/** The row of the envoy that asks by its own certificate; a revoked one becomes another envoy. */
function stillEnrolled(
  { identities }: EnrollmentDependencies,
  turn: EnrollmentTurn,
  { envoyId }: Registration,
): IdentityRow | undefined {
  const row = envoyId === undefined ? undefined : turn.store.get(identities, envoyId);
  return row === undefined || row.revoked ? undefined : row;
}

/** The envoy stays the one that it is, with another key: no result of it is lost or counted twice. */
async function renew(
  dependencies: EnrollmentDependencies,
  turn: EnrollmentTurn,
  registration: Registration,
  token: TokenRecord,
  known: IdentityRow,
): Promise<Registered> {
  const { hostname, agentVersion, peerAddress: peer } = registration;
  const envoyId = registration.envoyId ?? '';
  const certificate = await sign(dependencies, registration, envoyId);
  const { publicKey, serial } = certificate;
  const details = { hostname, token: token.id, serial, peer };
  const event = newAuditEvent(turn, 'enrollment.renewed', `envoy:${envoyId}`, envoyId, details);
  const renewed = { envoyId, hostname, publicKey, agentVersion, ...certificateRecord(certificate) };
  const atMs = turn.ports.clock.nowMs();
  await writeFirst(turn, event, [
    { record: 'envoyRenewed', ...renewed },
    { record: 'tokenUsed', id: token.id, envoyId, atMs },
  ]);
  turn.put(dependencies.identities, envoyId, { ...known, hostname, publicKey });
  await assign(turn, envoyId, hostname);
  return registered(dependencies, envoyId, certificate);
}

/**
 * The answer to a registration may be lost after the token was spent. The same machine, proven by
 * its key, may then ask again and gets a certificate for the identity that it has already.
 */
async function enrollAgain(
  dependencies: EnrollmentDependencies,
  turn: EnrollmentTurn,
  registration: Registration,
  record: TokenRecord,
): Promise<Registered> {
  const envoyId = record.usedBy ?? '';
  const known = turn.store.get(dependencies.identities, envoyId);
  if (known === undefined || known.revoked) throw new ServerError('ENROLLMENT_TOKEN_USED');
  const certificate = await sign(dependencies, registration, envoyId);
  if (!Buffer.from(certificate.publicKey).equals(known.publicKey)) {
    throw new ServerError('ENROLLMENT_TOKEN_USED');
  }
  const details = { token: record.id, serial: certificate.serial, peer: registration.peerAddress };
  const event = newAuditEvent(turn, 'enrollment.repeated', `envoy:${envoyId}`, envoyId, details);
  const { hostname, publicKey } = known;
  const { agentVersion } = registration;
  const renewed = { envoyId, hostname, publicKey, agentVersion, ...certificateRecord(certificate) };
  await writeFirst(turn, event, [{ record: 'envoyRenewed', ...renewed }]);
  await assign(turn, envoyId, hostname);
  return registered(dependencies, envoyId, certificate);
}

/** Durable. Throws ENROLLMENT_TOKEN_USED when token or envoy are not any more what they were when read. */
async function writeFirst(
  turn: EnrollmentTurn,
  event: AuditEvent,
  records: SinkRecord[],
): Promise<void> {
  try {
    await writeDurably(turn, records, [event]);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('ENROLLMENT_TOKEN_USED', {}, { cause: error });
  }
}

/** The token's record, once its secret was verified. Always costs one bcrypt. */
async function provenToken(
  { authority, secrets }: EnrollmentDependencies,
  turn: EnrollmentTurn,
  token: EnrollmentToken | undefined,
): Promise<TokenRecord> {
  const id = token?.id ?? '';
  const record = await turn.ask(sinkAddress(), 'findToken', { id }, sinkDeadlineMs);
  const expected = record?.hash ?? turn.state.decoyHash;
  const proven = await secrets.verify(token?.secret ?? '', expected);
  const ours = token?.pin === authority.fingerprint.slice(0, pinLength);
  if (record === undefined || !proven || !ours) throw new ServerError('ENROLLMENT_TOKEN_UNKNOWN');
  return record;
}

async function sign(
  { authority, certificateValidityMs }: EnrollmentDependencies,
  { certificateRequest }: Registration,
  envoyId: string,
): Promise<EnvoyCertificate> {
  const grant = { envoyId, validityMs: certificateValidityMs };
  return await authority.signEnvoyRequest(certificateRequest, grant);
}

function registered(
  { authority }: EnrollmentDependencies,
  envoyId: string,
  certificate: EnvoyCertificate,
): Registered {
  return { envoyId, certificateChain: [certificate.der, authority.certificateDer] };
}

/** The machine is enrolled already; when publishing is busy, its policy follows by mail. */
async function assign(turn: EnrollmentTurn, envoyId: string, hostname: string): Promise<void> {
  try {
    await turn.ask(publishAddress(), 'assign', { envoyId, hostname }, assignDeadlineMs);
  } catch {
    turn.mail(publishAddress(), 'assign', { envoyId, hostname });
  }
}

async function audit(
  turn: EnrollmentTurn,
  { peerAddress, hostname }: Registration,
  code: ServerErrorCode,
  tokenId: string | undefined,
): Promise<void> {
  const event = newAuditEvent(turn, 'enrollment.refused', `peer:${peerAddress}`, peerAddress, {
    code,
    hostname: hostname.slice(0, hostnameShown),
    token: tokenId ?? '',
  });
  // The refusal stands, also when the database is down; the log of the sink tells of that.
  await writeDurably(turn, [], [event]).catch(() => undefined);
}

function checkForm({ hostname, agentVersion }: Registration): void {
  if (!isHostname(hostname)) {
    throw new ServerError('ENROLLMENT_BAD_REQUEST', { reason: 'the host name is not one' });
  }
  if (agentVersion.length > agentVersionLimit) {
    throw new ServerError('ENROLLMENT_BAD_REQUEST', { reason: 'the agent version is too long' });
  }
}

/** The peer's own fault, as opposed to trouble of the server. */
function isRefusal(error: unknown): error is ServerError {
  if (!(error instanceof ServerError)) return false;
  if (error.code === 'ENROLLMENT_FLEET_FULL') return false;
  return error.code.startsWith('ENROLLMENT_') || error.code.startsWith('CERTIFICATE_REQUEST_');
}
