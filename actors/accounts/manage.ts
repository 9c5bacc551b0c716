import { newAuditEvent } from '../audit/new-event.ts';
import { codeOf, ServerError } from '../errors.ts';
import type { SinkRecord } from '../sink/messages.ts';
import { type AccountContext, type AccountTurn, accountOf, newId, write } from './context.ts';
import type { AccountChanges, AccountMessages, AccountRecord, AccountRole } from './messages.ts';
import { passwordProblem } from './password.ts';
import { changesProblem, nameProblem } from './rules.ts';
import { base32 } from './totp.ts';

type Payload<T extends keyof AccountMessages> = AccountMessages[T]['payload'];

/** 100 bits and more. */
const generatedPasswordBytes = 15;

/** A new account that nobody can log in to yet. Throws ACCOUNT_BAD_REQUEST. */
export function newAccount(
  id: string,
  nowMs: number,
  by: string,
  { name, ...given }: AccountChanges & { name: string; role: AccountRole },
): AccountRecord {
  const reason = nameProblem(name) ?? changesProblem(given);
  if (reason !== undefined) throw new ServerError('ACCOUNT_BAD_REQUEST', { reason });
  return {
    id,
    name,
    displayName: given.displayName ?? '',
    email: given.email ?? '',
    role: given.role,
    grants: given.grants ?? [],
    passwordHash: undefined,
    mustChangePassword: false,
    totpSealed: undefined,
    totpStep: 0,
    recoveryHashes: [],
    createdAtMs: nowMs,
    createdBy: by,
    passwordChangedAtMs: undefined,
    lastLoginMs: undefined,
    disabledAtMs: undefined,
    deletedAtMs: undefined,
  };
}

export async function create(
  context: AccountContext,
  turn: AccountTurn,
  { by, password: wanted, ...given }: Payload<'create'>,
): Promise<AccountMessages['create']['reply']> {
  const bare = newAccount(newId(turn), turn.ports.clock.nowMs(), by, given);
  const password = passwordOf(turn, wanted, given.name);
  const account =
    password === undefined ? bare : { ...bare, ...(await withPassword(context, turn, password)) };
  const { id, name, role } = account;
  const details = { name, role, grants: JSON.stringify(account.grants) };
  try {
    const event = newAuditEvent(turn, 'account.created', by, id, details);
    await write(turn, [{ record: 'account', account }], [event]);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('ACCOUNT_NAME_TAKEN', { name });
  }
  await context.setupCode.remove();
  return { id, password: wanted === 'generate' ? password : undefined };
}

export async function change(
  context: AccountContext,
  turn: AccountTurn,
  { id, by, ...changes }: Payload<'change'>,
): Promise<undefined> {
  const account = await accountOf(context, id);
  const given = Object.fromEntries(
    Object.entries(changes).filter(([, value]) => value !== undefined),
  ) as AccountChanges;
  const reason = changesProblem(given);
  if (reason !== undefined) throw new ServerError('ACCOUNT_BAD_REQUEST', { reason });
  const changed = { ...account, ...given } as AccountRecord;
  if (account.role === 'admin' && changed.role !== 'admin') await keepAnAdmin(context, account);
  const before = JSON.stringify([account.role, account.grants]);
  const after = JSON.stringify([changed.role, changed.grants]);
  const { role, grants } = changed;
  const details = { name: account.name, role, grants: JSON.stringify(grants) };
  const event = newAuditEvent(turn, 'account.changed', by, id, details);
  const ends = before === after ? [] : [ended(turn, id, 'role changed')];
  if (before !== after) context.challenges.endOf(id);
  await write(turn, [{ record: 'accountChanged', account: changed }, ...ends], [event]);
}

export async function setDisabled(
  context: AccountContext,
  turn: AccountTurn,
  { id, disabled, by }: Payload<'setDisabled'>,
): Promise<undefined> {
  const account = await accountOf(context, id);
  if ((account.disabledAtMs !== undefined) === disabled) return;
  if (disabled) await keepAnAdmin(context, account);
  const disabledAtMs = disabled ? turn.ports.clock.nowMs() : undefined;
  const type = disabled ? 'account.disabled' : 'account.enabled';
  const event = newAuditEvent(turn, type, by, id, { name: account.name });
  context.challenges.endOf(id);
  await write(
    turn,
    [
      { record: 'accountChanged', account: { ...account, disabledAtMs } },
      ...(disabled ? [ended(turn, id, 'disabled')] : []),
    ],
    [event],
  );
}

export async function remove(
  context: AccountContext,
  turn: AccountTurn,
  { id, by }: Payload<'remove'>,
): Promise<undefined> {
  const account = await accountOf(context, id);
  await keepAnAdmin(context, account);
  const changed: AccountRecord = {
    ...account,
    deletedAtMs: turn.ports.clock.nowMs(),
    passwordHash: undefined,
    totpSealed: undefined,
    recoveryHashes: [],
  };
  const event = newAuditEvent(turn, 'account.deleted', by, id, { name: account.name });
  context.challenges.endOf(id);
  await write(
    turn,
    [{ record: 'accountChanged', account: changed }, ended(turn, id, 'deleted')],
    [event],
  );
}

export async function resetPassword(
  context: AccountContext,
  turn: AccountTurn,
  { id, password: given, by }: Payload<'resetPassword'>,
): Promise<{ password: string }> {
  const account = await accountOf(context, id);
  const { name } = account;
  const password = passwordOf(turn, given === undefined ? 'generate' : { given }, name) ?? '';
  const changed = { ...account, ...(await withPassword(context, turn, password)) };
  const event = newAuditEvent(turn, 'account.password_reset', by, id, { name });
  context.challenges.endOf(id);
  await write(
    turn,
    [{ record: 'accountChanged', account: changed }, ended(turn, id, 'password reset')],
    [event],
  );
  return { password };
}

export async function resetTotp(
  context: AccountContext,
  turn: AccountTurn,
  { id, by }: Payload<'resetTotp'>,
): Promise<undefined> {
  const account = await accountOf(context, id);
  if (account.totpSealed === undefined) {
    throw new ServerError('ACCOUNT_TOTP_STATE', { reason: `${account.name} has none` });
  }
  const changed = { ...account, totpSealed: undefined, totpStep: 0, recoveryHashes: [] };
  const event = newAuditEvent(turn, 'account.totp_reset', by, id, { name: account.name });
  context.challenges.endOf(id);
  await write(
    turn,
    [{ record: 'accountChanged', account: changed }, ended(turn, id, 'second factor reset')],
    [event],
  );
}

export function ended(turn: AccountTurn, accountId: string, reason: string): SinkRecord {
  return { record: 'sessionsEnded', accountId, atMs: turn.ports.clock.nowMs(), reason };
}

/** Somebody else knows it, so it must be changed. */
async function withPassword({ passwords }: AccountContext, turn: AccountTurn, password: string) {
  return {
    passwordHash: await passwords.hash(password),
    passwordChangedAtMs: turn.ports.clock.nowMs(),
    mustChangePassword: true,
  };
}

function passwordOf(
  turn: AccountTurn,
  wanted: Payload<'create'>['password'],
  name: string,
): string | undefined {
  if (wanted === 'none') return undefined;
  if (wanted === 'generate') {
    const text = base32(turn.ports.random.bytes(generatedPasswordBytes)).toLowerCase();
    return text.replaceAll(/(.{6})(?=.)/g, '$1-');
  }
  const reason = passwordProblem(wanted.given, name);
  if (reason !== undefined) throw new ServerError('ACCOUNT_PASSWORD_WEAK', { reason });
  return wanted.given;
}

async function keepAnAdmin({ store }: AccountContext, account: AccountRecord): Promise<void> {
  const { id, name, role, disabledAtMs } = account;
  if (role !== 'admin' || disabledAtMs !== undefined) return;
  const others = (await store.admins()).filter((admin) => admin !== id);
  if (others.length === 0) throw new ServerError('ACCOUNT_LAST_ADMIN', { name });
}
