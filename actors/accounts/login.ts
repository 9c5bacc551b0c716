import { newAuditEvent } from '../audit/new-event.ts';
import { peerOf } from '../enrollment/failure-limit.ts';
import { ServerError } from '../errors.ts';
import { sinkAddress } from '../sink/messages.ts';
import {
  type AccountContext,
  type AccountTurn,
  accountOf,
  newSecret,
  viewOf,
  write,
} from './context.ts';
import type {
  AccountMessages,
  AccountRecord,
  FirstProof,
  LoginAnswer,
  LoginOrigin,
} from './messages.ts';
import { openSession } from './open-session.ts';
import { takeCode } from './second-factor.ts';

type Payload<T extends keyof AccountMessages> = AccountMessages[T]['payload'];

/** Throws ACCOUNT_LOGIN_WAIT, or counts the try. */
export function beginTry(
  { guard }: AccountContext,
  turn: AccountTurn,
  key: string,
  { peerAddress }: LoginOrigin,
): void {
  const waitMs = guard.begin(key, peerOf(peerAddress), turn.ports.clock.nowMs());
  if (waitMs === 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new ServerError('ACCOUNT_LOGIN_WAIT', { seconds, retryAfter: seconds });
}

export async function beginLogin(
  context: AccountContext,
  turn: AccountTurn,
  { name, origin }: Payload<'beginLogin'>,
): Promise<AccountMessages['beginLogin']['reply']> {
  beginTry(context, turn, name, origin);
  const decoy = await context.decoyHash();
  const account = await context.store.byName(name);
  if (account?.passwordHash === undefined || account.deletedAtMs !== undefined) {
    return { accountId: undefined, passwordHash: decoy };
  }
  return { accountId: account.id, passwordHash: account.passwordHash };
}

export async function endLogin(
  context: AccountContext,
  turn: AccountTurn,
  { name, accountId, proven, origin }: Payload<'endLogin'>,
): Promise<LoginAnswer> {
  if (!proven || accountId === undefined) {
    refuse(turn, accountId, 'ACCOUNT_LOGIN_FAILED', origin);
  }
  const account = await accountOf(context, accountId);
  if (account.disabledAtMs !== undefined) {
    refuse(turn, accountId, 'ACCOUNT_DISABLED', origin, name);
  }
  context.guard.succeeded(name, peerOf(origin.peerAddress));
  return await enter(context, turn, account, { method: 'password', asks: true, origin });
}

/** Somebody was proven outside: by a key, or by a provider. */
export async function enterProven(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, method, multiFactor, origin }: Payload<'openSession'>,
): Promise<LoginAnswer> {
  const account = await accountOf(context, accountId);
  if (account.disabledAtMs !== undefined) {
    refuse(turn, accountId, 'ACCOUNT_DISABLED', origin, account.name);
  }
  const isSpared = method !== 'oidc' && context.settings.keySecondFactor === 'skip';
  return await enter(context, turn, account, { method, asks: !multiFactor && !isSpared, origin });
}

/** A session, or the question for the second factor of who has one. */
async function enter(
  context: AccountContext,
  turn: AccountTurn,
  account: AccountRecord,
  { method, asks, origin }: { method: FirstProof; asks: boolean; origin: LoginOrigin },
): Promise<LoginAnswer> {
  const accountId = account.id;
  if (account.totpSealed === undefined || !asks) {
    const opening = { accountId, method, origin };
    return { session: await openSession(context, turn, opening), account: viewOf(account) };
  }
  const challenge = newSecret(turn);
  const nowMs = turn.ports.clock.nowMs();
  return { challenge, expiresAtMs: context.challenges.add(challenge, accountId, method, nowMs) };
}

export async function secondFactor(
  context: AccountContext,
  turn: AccountTurn,
  { challenge, code, origin }: Payload<'secondFactor'>,
): Promise<AccountMessages['secondFactor']['reply']> {
  const waiting = context.challenges.try(challenge, turn.ports.clock.nowMs());
  if (waiting === undefined) throw new ServerError('ACCOUNT_CHALLENGE_ENDED');
  const { accountId, proof } = waiting;
  const account = await proveCode(context, turn, { accountId, code, origin });
  if (account.disabledAtMs !== undefined) {
    refuse(turn, accountId, 'ACCOUNT_DISABLED', origin, account.name);
  }
  context.challenges.done(challenge);
  const opening = { accountId, method: `${proof}+totp`, origin } as const;
  return { session: await openSession(context, turn, opening), account: viewOf(account) };
}

/**
 * Uses up a TOTP or recovery code of the account, durably, and returns the account after it. Throws
 * ACCOUNT_LOGIN_FAILED, ACCOUNT_LOGIN_WAIT.
 */
export async function proveCode(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, code, origin }: { accountId: string; code: string; origin: LoginOrigin },
): Promise<AccountRecord> {
  const key = `code ${accountId}`;
  beginTry(context, turn, key, origin);
  const account = await accountOf(context, accountId);
  const taken = takeCode(context.seal, account, code, turn.ports.clock.nowMs());
  if (taken === undefined) refuse(turn, accountId, 'ACCOUNT_LOGIN_FAILED', origin);
  context.guard.succeeded(key, peerOf(origin.peerAddress));
  const { recovery, ...used } = taken;
  const left = used.recoveryHashes.length;
  const events = recovery
    ? [newAuditEvent(turn, 'account.recovery_used', `admin:${account.name}`, accountId, { left })]
    : [];
  await write(turn, [{ record: 'accountChanged', account: { ...account, ...used } }], events);
  return { ...account, ...used };
}

/** Proves the owner of a session again by password; throws as `proveCode` does. */
export async function provePassword(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, current, origin }: { accountId: string; current: string; origin: LoginOrigin },
): Promise<AccountRecord> {
  const account = await accountOf(context, accountId);
  if (account.passwordHash === undefined) {
    const reason = 'the account has no password; an administrator can reset it';
    throw new ServerError('ACCOUNT_BAD_REQUEST', { reason });
  }
  beginTry(context, turn, account.name, origin);
  if (!(await context.passwords.verify(current, account.passwordHash))) {
    refuse(turn, accountId, 'ACCOUNT_LOGIN_FAILED', origin);
  }
  context.guard.succeeded(account.name, peerOf(origin.peerAddress));
  return account;
}

/**
 * Ends the turn with the refusal, and tells the audit log without waiting for it: whether an entry is
 * written or only counted must not show in how long the answer takes. What was typed as a name may be a
 * password, so it is not kept.
 */
function refuse(
  turn: AccountTurn,
  accountId: string | undefined,
  code: 'ACCOUNT_LOGIN_FAILED' | 'ACCOUNT_DISABLED',
  { peerAddress }: LoginOrigin,
  name = '',
): never {
  const subject = accountId ?? 'unknown';
  const details = { code, peer: peerOf(peerAddress) };
  const event = newAuditEvent(
    turn,
    'account.login_failed',
    `peer:${peerAddress}`,
    subject,
    details,
  );
  turn.tell(sinkAddress(), 'write', { records: [], audit: [event] });
  turn.refuse(new ServerError(code, { name }));
}
