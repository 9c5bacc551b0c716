import { createHash } from 'node:crypto';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import { selectorProblem } from '../accounts/selector.ts';
import type { AuditEvent } from '../audit/event.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { codeOf, ServerError } from '../errors.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { AccessMessages, AdminTokenRecord } from './messages.ts';

const mailboxLimit = 1000;
const idleAfterMs = 600_000;
const sinkDeadlineMs = 15_000;
const tokenBytes = 32;
const idBytes = 8;
const shortestLifeMs = 1000;
const longestLifeMs = 10 * 366 * 86_400_000;

/** Lower case only, so that no two names look alike in the audit log. */
const nameForm = /^[a-z][a-z0-9._-]{0,62}$/;
/** Names of what is no token of ours. */
const reservedNames = new Set(['local', 'server', 'anybody', 'system']);

type AccessTurn = Turn<undefined>;

/** Makes and revokes the named tokens of people and programs; each is an audit event. */
export function accessKind(): ActorKind<undefined, AccessMessages> {
  return {
    name: 'access',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: { createToken, revokeToken, used, refused },
  };
}

async function createToken(
  turn: AccessTurn,
  { name, role, expiresInMs, by, ...limits }: AccessMessages['createToken']['payload'],
): Promise<AccessMessages['createToken']['reply']> {
  const reason = nameProblem(name) ?? lifeProblem(expiresInMs) ?? envoysProblem(limits.envoys);
  if (reason !== undefined) throw new ServerError('ACCESS_BAD_REQUEST', { reason });
  const { clock, random } = turn.ports;
  const token = `vgot_${Buffer.from(random.bytes(tokenBytes)).toString('base64url')}`;
  const createdAtMs = clock.nowMs();
  const record: AdminTokenRecord = {
    id: Buffer.from(random.bytes(idBytes)).toString('hex'),
    name,
    role,
    tokenSha256: createHash('sha256').update(token).digest('hex'),
    createdAtMs,
    createdBy: by,
    expiresAtMs: expiresInMs === undefined ? undefined : createdAtMs + expiresInMs,
    lastUsedMs: undefined,
    revokedAtMs: undefined,
    accountId: limits.accountId,
    permissions: limits.permissions,
    envoys: limits.envoys,
  };
  const { id, expiresAtMs } = record;
  const event = newAuditEvent(turn, 'access.token_created', by, id, {
    name,
    role,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(limits.permissions === undefined ? {} : { permissions: limits.permissions.join(' ') }),
    ...(limits.envoys === undefined ? {} : { envoys: limits.envoys.join(' ') }),
  });
  try {
    await write(turn, [{ record: 'adminToken', token: record }], [event]);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('ACCESS_NAME_TAKEN', { name });
  }
  return { id, token, expiresAtMs };
}

async function revokeToken(
  turn: AccessTurn,
  { id, by }: AccessMessages['revokeToken']['payload'],
): Promise<undefined> {
  const atMs = turn.ports.clock.nowMs();
  const event = newAuditEvent(turn, 'access.token_revoked', by, id, {});
  try {
    await write(turn, [{ record: 'adminTokenRevoked', id, atMs }], [event]);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('ACCESS_TOKEN_NOT_FOUND', { id });
  }
}

/** Not worth a refusal: when the database is down, the next use tells it again. */
async function used(
  turn: AccessTurn,
  { id, atMs }: AccessMessages['used']['payload'],
): Promise<undefined> {
  await write(turn, [{ record: 'adminTokenUsed', id, atMs }], []).catch(() => undefined);
}

/** As with `used`: the database may be down, and the refusal holds anyhow. */
async function refused(
  turn: AccessTurn,
  { peerAddress, count }: AccessMessages['refused']['payload'],
): Promise<undefined> {
  const details = { code: 'API_UNAUTHENTICATED', count };
  const by = `peer:${peerAddress}`;
  const event = newAuditEvent(turn, 'api.refused', by, peerAddress, details);
  await write(turn, [], [event]).catch(() => undefined);
}

async function write(turn: AccessTurn, records: SinkRecord[], audit: AuditEvent[]): Promise<void> {
  await turn.ask(sinkAddress(), 'write', { records, audit }, sinkDeadlineMs);
}

function nameProblem(name: string): string | undefined {
  if (reservedNames.has(name)) return `the name ${name} is reserved`;
  if (nameForm.test(name)) return undefined;
  return 'a name begins with a letter and has up to 63 lower-case letters, digits, ".", "_" or "-"';
}

function envoysProblem(envoys: readonly string[] = []): string | undefined {
  return envoys.map(selectorProblem).find((problem) => problem !== undefined);
}

function lifeProblem(expiresInMs: number | undefined): string | undefined {
  if (expiresInMs === undefined) return undefined;
  const fits = Number.isSafeInteger(expiresInMs);
  if (fits && expiresInMs >= shortestLifeMs && expiresInMs <= longestLifeMs) return undefined;
  return 'a token lives between one second and ten years';
}
