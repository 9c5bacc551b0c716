import { newAuditEvent } from '../audit/new-event.ts';
import { ServerError } from '../errors.ts';
import { type AccountContext, type AccountTurn, accountOf, write } from './context.ts';
import { proveCode, provePassword } from './login.ts';
import { ended } from './manage.ts';
import type { AccountMessages, AccountRecord, OpenedSession, TotpEnrolment } from './messages.ts';
import { openSession } from './open-session.ts';
import { passwordProblem } from './password.ts';
import { makeRecoveryCodes, recoveryHash } from './recovery-codes.ts';
import { base32, matchTotp, totpSecretBytes, totpUri } from './totp.ts';
import { sealNonceBytes } from './totp-seal.ts';

type Payload<T extends keyof AccountMessages> = AccountMessages[T]['payload'];

/** Second factors that wait to be confirmed; the oldest is forgotten first. */
const enrolmentLimit = 1_000;

export async function changePassword(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, current, next, origin }: Payload<'changePassword'>,
): Promise<OpenedSession> {
  const account = await provePassword(context, turn, { accountId, current, origin });
  const { name } = account;
  const reason =
    passwordProblem(next, name) ?? (next === current ? 'it is the old one' : undefined);
  if (reason !== undefined) throw new ServerError('ACCOUNT_PASSWORD_WEAK', { reason });
  const changed = {
    ...account,
    passwordHash: await context.passwords.hash(next),
    passwordChangedAtMs: turn.ports.clock.nowMs(),
    mustChangePassword: false,
  };
  const event = newAuditEvent(turn, 'account.password_changed', `admin:${name}`, accountId, {});
  context.challenges.endOf(accountId);
  await write(
    turn,
    [{ record: 'accountChanged', account: changed }, ended(turn, accountId, 'password changed')],
    [event],
  );
  const method = account.totpSealed === undefined ? 'password' : 'password+totp';
  return await openSession(context, turn, { accountId, method, origin });
}

export async function enrolTotp(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, current, origin }: Payload<'enrolTotp'>,
): Promise<TotpEnrolment> {
  const account =
    current === undefined
      ? await withoutPassword(context, accountId)
      : await provePassword(context, turn, { accountId, current, origin });
  if (account.totpSealed !== undefined) {
    throw new ServerError('ACCOUNT_TOTP_STATE', { reason: 'there is one; remove it first' });
  }
  const secret = turn.ports.random.bytes(totpSecretBytes);
  const { enrolments, issuer } = context;
  enrolments.delete(accountId);
  enrolments.set(accountId, secret);
  for (const oldest of enrolments.keys()) {
    if (enrolments.size <= enrolmentLimit) break;
    enrolments.delete(oldest);
  }
  return { secret: base32(secret), uri: totpUri(secret, account.name, issuer) };
}

/** Throws ACCOUNT_BAD_REQUEST for an account that could prove itself by its password. */
async function withoutPassword(context: AccountContext, accountId: string): Promise<AccountRecord> {
  const account = await accountOf(context, accountId);
  if (account.passwordHash === undefined) return account;
  const reason = 'the present password is missing';
  throw new ServerError('ACCOUNT_BAD_REQUEST', { reason });
}

export async function confirmTotp(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, code }: Payload<'confirmTotp'>,
): Promise<{ recoveryCodes: string[] }> {
  const account = await accountOf(context, accountId);
  const secret = context.enrolments.get(accountId);
  if (secret === undefined || account.totpSealed !== undefined) {
    throw new ServerError('ACCOUNT_TOTP_STATE', { reason: 'no enrolment is under way' });
  }
  const step = matchTotp(secret, code, turn.ports.clock.nowMs(), 0);
  if (step === undefined) throw new ServerError('ACCOUNT_LOGIN_FAILED');
  const { random } = turn.ports;
  const recoveryCodes = makeRecoveryCodes((count) => random.bytes(count));
  const changed = {
    ...account,
    totpSealed: context.seal.seal(secret, accountId, random.bytes(sealNonceBytes)),
    totpStep: step,
    recoveryHashes: recoveryCodes.map(recoveryHash),
  };
  const by = `admin:${account.name}`;
  const event = newAuditEvent(turn, 'account.totp_enabled', by, accountId, {});
  await write(turn, [{ record: 'accountChanged', account: changed }], [event]);
  context.enrolments.delete(accountId);
  return { recoveryCodes };
}

export async function removeTotp(
  context: AccountContext,
  turn: AccountTurn,
  { accountId, code, origin }: Payload<'removeTotp'>,
): Promise<undefined> {
  const { totpSealed } = await accountOf(context, accountId);
  if (totpSealed === undefined) {
    throw new ServerError('ACCOUNT_TOTP_STATE', { reason: 'there is none' });
  }
  const account = await proveCode(context, turn, { accountId, code, origin });
  const changed = { ...account, totpSealed: undefined, totpStep: 0, recoveryHashes: [] };
  const by = `admin:${account.name}`;
  const event = newAuditEvent(turn, 'account.totp_removed', by, accountId, {});
  await write(turn, [{ record: 'accountChanged', account: changed }], [event]);
}
