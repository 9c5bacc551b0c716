import type { ActorKind } from '../../runtime/actor.ts';
import { accountsAddress, type LoginLaneMessages } from './messages.ts';
import type { PasswordHash } from './password.ts';

/** Logins that may wait for one lane; one more is told to come back. */
const mailboxLimit = 64;
const idleAfterMs = 60_000;
const accountsDeadlineMs = 20_000;

/** Checks passwords beside the accounts actor, so that guessing does not hold up anybody's logout. */
export function loginKind(passwords: PasswordHash): ActorKind<undefined, LoginLaneMessages> {
  return {
    name: 'login',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      login: async (turn, { name, password, origin }) => {
        const accounts = accountsAddress();
        const begun = { name, origin };
        const { accountId, passwordHash } = await turn.ask(
          accounts,
          'beginLogin',
          begun,
          accountsDeadlineMs,
        );
        // Also for an unknown name: the answer takes as long.
        const proven = await passwords.verify(password, passwordHash);
        const found = { name, accountId, proven, origin };
        return await turn.ask(accounts, 'endLogin', found, accountsDeadlineMs);
      },
    },
  };
}
