import type { ActorKind } from '../../runtime/actor.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { envoyAddress } from '../envoy/messages.ts';
import { codeOf, ServerError } from '../errors.ts';
import {
  type EnrollmentDependencies,
  type EnrollmentState,
  type EnrollmentTurn,
  writeDurably,
} from './context.ts';
import type { EnrollmentMessages } from './messages.ts';
import { register } from './register.ts';
import { patternProblem } from './rules.ts';
import { formatToken, makeToken } from './token.ts';

const mailboxLimit = 1000;
const idleAfterMs = 600_000;
const longestTokenLifeMs = 366 * 86_400_000;

/** Who becomes an envoy, and who stops being one. */
export function enrollmentKind(
  dependencies: EnrollmentDependencies,
): ActorKind<EnrollmentState, EnrollmentMessages> {
  return {
    name: 'enrollment',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: async ({ ports }) => {
      const secret = Buffer.from(ports.random.bytes(24)).toString('base64url');
      return { decoyHash: await dependencies.secrets.hash(secret) };
    },
    handlers: {
      register: (turn, payload) => register(dependencies, turn, payload),
      createToken: (turn, payload) => createToken(dependencies, turn, payload),
      revokeToken: (turn, payload) => revokeToken(turn, payload),
      revokeEnvoy: (turn, payload) => revokeEnvoy(dependencies, turn, payload),
    },
  };
}

async function createToken(
  { authority, secrets }: EnrollmentDependencies,
  turn: EnrollmentTurn,
  { match, expiresInMs, by }: EnrollmentMessages['createToken']['payload'],
): Promise<EnrollmentMessages['createToken']['reply']> {
  const reason = patternProblem(match) ?? lifeProblem(expiresInMs);
  if (reason !== undefined) throw new ServerError('ENROLLMENT_BAD_REQUEST', { reason });
  const { clock, random } = turn.ports;
  const token = makeToken(random, authority.fingerprint);
  const createdAtMs = clock.nowMs();
  const expiresAtMs = createdAtMs + expiresInMs;
  const record = {
    id: token.id,
    hash: await secrets.hash(token.secret),
    match,
    createdAtMs,
    createdBy: by,
    expiresAtMs,
    usedAtMs: undefined,
    usedBy: undefined,
    revokedAtMs: undefined,
  };
  const details = { match: match.join(' '), expiresAtMs };
  const event = newAuditEvent(turn, 'token.created', adminName(by), token.id, details);
  await writeDurably(turn, [{ record: 'token', token: record }], [event]);
  return { id: token.id, token: formatToken(token), expiresAtMs };
}

async function revokeToken(
  turn: EnrollmentTurn,
  { id, by }: EnrollmentMessages['revokeToken']['payload'],
): Promise<undefined> {
  const atMs = turn.ports.clock.nowMs();
  const event = newAuditEvent(turn, 'token.revoked', adminName(by), id, {});
  try {
    await writeDurably(turn, [{ record: 'tokenRevoked', id, atMs }], [event]);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('ENROLLMENT_TOKEN_NOT_FOUND', { id });
  }
}

/** SQL first: when this process dies in between, the next start takes the revocation from there. */
async function revokeEnvoy(
  { identities }: EnrollmentDependencies,
  turn: EnrollmentTurn,
  { envoyId, reason, by }: EnrollmentMessages['revokeEnvoy']['payload'],
): Promise<undefined> {
  const atMs = turn.ports.clock.nowMs();
  const event = newAuditEvent(turn, 'envoy.revoked', adminName(by), envoyId, { reason });
  try {
    await writeDurably(turn, [{ record: 'envoyRevoked', envoyId, reason, atMs }], [event]);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('ENROLLMENT_ENVOY_UNKNOWN', { envoyId });
  }
  const row = turn.store.get(identities, envoyId);
  if (row !== undefined) turn.put(identities, envoyId, { ...row, revoked: true });
  turn.tell(envoyAddress(envoyId), 'revoked', { reason });
}

function lifeProblem(expiresInMs: number): string | undefined {
  const valid =
    Number.isSafeInteger(expiresInMs) && expiresInMs >= 1000 && expiresInMs <= longestTokenLifeMs;
  return valid ? undefined : 'a token lives between one second and 366 days';
}

function adminName(by: string): string {
  return by.includes(':') ? by : `admin:${by}`;
}
