import type { ActorKind } from '../../runtime/actor.ts';
import { type AccountContext, type AccountTurn, auditEvent, write } from './context.ts';
import type { AccountMessages } from './messages.ts';
import { openSession } from './open-session.ts';

const mailboxLimit = 1000;
const idleAfterMs = 3_600_000;

/** Accounts and sessions: the only one that changes them. Every change is an audit event. */
export function accountsKind(context: AccountContext): ActorKind<undefined, AccountMessages> {
  return {
    name: 'accounts',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      openSession: async (turn, { accountId, method, origin }) =>
        await openSession(context, turn, { accountId, method, origin }),
      endSession: async (turn, { sessionId, reason, by }) => {
        const accountId = await context.store.ownerOf(sessionId);
        if (accountId === undefined) return undefined;
        return await endSessions(turn, { accountId, only: sessionId, reason, by });
      },
      endSessions: async (turn, { accountId, except, reason, by }) =>
        await endSessions(turn, { accountId, reason, by, ...(except ? { except } : {}) }),
      sessionUsed: async (turn, { sessionId, atMs }) => {
        // Not worth a refusal: when the database is down, the next use tells it again.
        await write(turn, [{ record: 'sessionUsed', id: sessionId, atMs }], []).catch(
          () => undefined,
        );
        return undefined;
      },
    },
  };
}

async function endSessions(
  turn: AccountTurn,
  {
    by,
    ...which
  }: { accountId: string; only?: string; except?: string; reason: string; by: string },
): Promise<undefined> {
  const { accountId, only, reason } = which;
  const atMs = turn.ports.clock.nowMs();
  const type = only === undefined ? 'account.sessions_ended' : 'account.logged_out';
  const details = { reason, ...(only === undefined ? {} : { session: only }) };
  const event = auditEvent(turn, type, by, accountId, details);
  await write(turn, [{ record: 'sessionsEnded', ...which, atMs }], [event]);
}
