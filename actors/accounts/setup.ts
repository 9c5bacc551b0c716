import { createHash, timingSafeEqual } from 'node:crypto';
import { newAuditEvent } from '../audit/new-event.ts';
import { peerOf } from '../enrollment/failure-limit.ts';
import { ServerError } from '../errors.ts';
import { sinkAddress } from '../sink/messages.ts';
import { type AccountContext, type AccountTurn, newId, viewOf, write } from './context.ts';
import { beginTry } from './login.ts';
import { newAccount } from './manage.ts';
import type { AccountMessages } from './messages.ts';
import { openSession } from './open-session.ts';
import { passwordProblem } from './password.ts';
import { base32 } from './totp.ts';

/** 80 bits. */
const codeBytes = 10;
/** Wrong codes until the code is replaced. */
const triesMax = 10;

/** The code that makes the first administrator; made once, undefined as soon as there was an account. */
export async function prepareSetup(
  { store, setupCode }: AccountContext,
  turn: AccountTurn,
): Promise<{ code: string | undefined }> {
  if (await store.any()) {
    await setupCode.remove();
    return { code: undefined };
  }
  const known = await setupCode.read();
  if (known !== undefined) return { code: known };
  return { code: await writeCode({ setupCode }, turn) };
}

async function writeCode(
  { setupCode }: Pick<AccountContext, 'setupCode'>,
  turn: AccountTurn,
): Promise<string> {
  const text = base32(turn.ports.random.bytes(codeBytes)).toLowerCase();
  const code = text.replaceAll(/(.{4})(?=.)/g, '$1-');
  await setupCode.write(code);
  return code;
}

export async function setUp(
  context: AccountContext,
  turn: AccountTurn,
  { code, name, displayName, password, origin }: AccountMessages['setUp']['payload'],
): Promise<AccountMessages['setUp']['reply']> {
  if (await context.store.any()) throw new ServerError('ACCOUNT_SETUP_DONE');
  beginTry(context, turn, 'setup', origin);
  const expected = await context.setupCode.read();
  if (expected === undefined || !sameCode(code, expected)) {
    return await refuse(context, turn, origin.peerAddress);
  }
  context.guard.succeeded('setup', peerOf(origin.peerAddress));
  const problem = passwordProblem(password, name);
  if (problem !== undefined) throw new ServerError('ACCOUNT_PASSWORD_WEAK', { reason: problem });
  const by = 'system:setup';
  const account = {
    ...newAccount(newId(turn), turn.ports.clock.nowMs(), by, { name, displayName, role: 'admin' }),
    passwordHash: await context.passwords.hash(password),
    passwordChangedAtMs: turn.ports.clock.nowMs(),
  };
  const details = { name, peer: origin.peerAddress };
  const event = newAuditEvent(turn, 'account.setup_done', by, account.id, details);
  await write(turn, [{ record: 'account', account }], [event]);
  await context.setupCode.remove();
  const opening = { accountId: account.id, method: 'setup', origin } as const;
  return { session: await openSession(context, turn, opening), account: viewOf(account) };
}

/** However the code was typed. */
function sameCode(offered: string, expected: string): boolean {
  const hash = (text: string) =>
    createHash('sha256')
      .update(text.toLowerCase().replaceAll(/[^a-z2-7]/g, ''))
      .digest();
  return timingSafeEqual(hash(offered), hash(expected));
}

async function refuse(
  context: AccountContext,
  turn: AccountTurn,
  peerAddress: string,
): Promise<never> {
  context.setupFailures += 1;
  if (context.setupFailures >= triesMax) {
    context.setupFailures = 0;
    await writeCode(context, turn);
  }
  const details = { code: 'ACCOUNT_SETUP_REFUSED', peer: peerOf(peerAddress) };
  const event = newAuditEvent(
    turn,
    'account.setup_refused',
    `peer:${peerAddress}`,
    'setup',
    details,
  );
  turn.tell(sinkAddress(), 'write', { records: [], audit: [event] });
  turn.refuse(new ServerError('ACCOUNT_SETUP_REFUSED'));
}
