import { createHash } from 'node:crypto';
import { newAuditEvent } from '../audit/new-event.ts';
import { ServerError } from '../errors.ts';
import { type AccountContext, type AccountTurn, newId, write } from './context.ts';
import type { LoginMethod, LoginOrigin, OpenedSession, SessionRecord } from './messages.ts';

const tokenBytes = 32;
/** Of what the browser says of itself. */
const userAgentLengthMax = 200;
const peerAddressLengthMax = 64;

/** Mints a session for an account that was proven. Throws ACCOUNT_NOT_FOUND, ACCOUNT_DISABLED. */
export async function openSession(
  { store, settings }: AccountContext,
  turn: AccountTurn,
  { accountId, method, origin }: { accountId: string; method: LoginMethod; origin: LoginOrigin },
): Promise<OpenedSession> {
  const account = await store.byId(accountId);
  if (account === undefined || account.deletedAtMs !== undefined) {
    throw new ServerError('ACCOUNT_NOT_FOUND', { id: accountId });
  }
  const { name } = account;
  if (account.disabledAtMs !== undefined) throw new ServerError('ACCOUNT_DISABLED', { name });
  const token = `vgos_${Buffer.from(turn.ports.random.bytes(tokenBytes)).toString('base64url')}`;
  const atMs = turn.ports.clock.nowMs();
  const peerAddress = origin.peerAddress.slice(0, peerAddressLengthMax);
  const session: SessionRecord = {
    id: newId(turn),
    accountId,
    tokenSha256: createHash('sha256').update(token).digest('hex'),
    method,
    createdAtMs: atMs,
    lastUsedMs: atMs,
    expiresAtMs: atMs + settings.sessionLifetimeMs,
    endedAtMs: undefined,
    endedBecause: '',
    peerAddress,
    userAgent: origin.userAgent.slice(0, userAgentLengthMax),
  };
  const details = { method, session: session.id, peer: peerAddress };
  const event = newAuditEvent(turn, 'account.logged_in', `admin:${name}`, accountId, details);
  await write(
    turn,
    [
      { record: 'session', session },
      { record: 'accountChanged', account: { ...account, lastLoginMs: atMs } },
    ],
    [event],
  );
  return { sessionId: session.id, token, expiresAtMs: session.expiresAtMs };
}
