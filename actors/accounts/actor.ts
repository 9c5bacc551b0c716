import type { ActorKind } from '../../runtime/actor.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { type AccountContext, type AccountTurn, write } from './context.ts';
import { beginLogin, endLogin, enterProven, secondFactor } from './login.ts';
import { change, create, remove, resetPassword, resetTotp, setDisabled } from './manage.ts';
import type { AccountMessages } from './messages.ts';
import { changePassword, confirmTotp, enrolTotp, removeTotp } from './own.ts';
import { prepareSetup, setUp } from './setup.ts';

const mailboxLimit = 1000;
const idleAfterMs = 3_600_000;

type Handler<T extends keyof AccountMessages> = (
  context: AccountContext,
  turn: AccountTurn,
  payload: AccountMessages[T]['payload'],
) => Promise<AccountMessages[T]['reply']>;

/** Accounts and sessions: the only one that changes them. Every change is an audit event. */
export function accountsKind(context: AccountContext): ActorKind<undefined, AccountMessages> {
  const bind =
    <T extends keyof AccountMessages>(handler: Handler<T>) =>
    (turn: AccountTurn, payload: AccountMessages[T]['payload']) =>
      handler(context, turn, payload);
  return {
    name: 'accounts',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      openSession: bind<'openSession'>(enterProven),
      endSession: bind<'endSession'>(endSession),
      endSessions: bind<'endSessions'>(endSessions),
      sessionUsed: bind<'sessionUsed'>(sessionUsed),
      beginLogin: bind<'beginLogin'>(beginLogin),
      endLogin: bind<'endLogin'>(endLogin),
      secondFactor: bind<'secondFactor'>(secondFactor),
      create: bind<'create'>(create),
      change: bind<'change'>(change),
      setDisabled: bind<'setDisabled'>(setDisabled),
      remove: bind<'remove'>(remove),
      resetPassword: bind<'resetPassword'>(resetPassword),
      resetTotp: bind<'resetTotp'>(resetTotp),
      changePassword: bind<'changePassword'>(changePassword),
      enrolTotp: bind<'enrolTotp'>(enrolTotp),
      confirmTotp: bind<'confirmTotp'>(confirmTotp),
      removeTotp: bind<'removeTotp'>(removeTotp),
      prepareSetup: bind<'prepareSetup'>(prepareSetup),
      setUp: bind<'setUp'>(setUp),
    },
  };
}

const endSession: Handler<'endSession'> = async ({ store }, turn, { sessionId, reason, by }) => {
  const accountId = await store.ownerOf(sessionId);
  if (accountId === undefined) return;
  const atMs = turn.ports.clock.nowMs();
  const details = { reason, session: sessionId };
  const event = newAuditEvent(turn, 'account.logged_out', by, accountId, details);
  await write(
    turn,
    [{ record: 'sessionsEnded', accountId, only: sessionId, atMs, reason }],
    [event],
  );
};

const endSessions: Handler<'endSessions'> = async (
  { challenges },
  turn,
  { accountId, except, reason, by },
) => {
  const atMs = turn.ports.clock.nowMs();
  const event = newAuditEvent(turn, 'account.sessions_ended', by, accountId, { reason });
  const kept = except === undefined ? {} : { except };
  challenges.endOf(accountId);
  await write(turn, [{ record: 'sessionsEnded', accountId, ...kept, atMs, reason }], [event]);
};

/** Not worth a refusal: when the database is down, the next use tells it again. */
const sessionUsed: Handler<'sessionUsed'> = async (_context, turn, { sessionId, atMs }) => {
  await write(turn, [{ record: 'sessionUsed', id: sessionId, atMs }], []).catch(() => undefined);
};
