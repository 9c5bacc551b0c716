import { Argument, type Command } from 'commander';
import { accessRoles } from '../../../../actors/access/messages.ts';
import {
  type AccountView,
  accountRoles,
  type Grant,
} from '../../../../actors/accounts/messages.ts';
import { AdminError } from '../../../errors.ts';
import { examples } from '../../examples.ts';
import type { OpenSession, Session } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { passwordFrom, showPassword } from './create.ts';
import { grantWords, userPath } from './show.ts';

interface Changed {
  readonly id: string;
  readonly name: string;
}

export function addUserChanges(users: Command, open: OpenSession): void {
  addRole(users, open);
  addGrants(users, open);
  addStates(users, open);
  addProofs(users, open);
}

function addRole(users: Command, open: OpenSession): void {
  const setRole = users
    .command('set-role <user>')
    .addArgument(new Argument('<role>', 'what it may do everywhere').choices(accountRoles))
    .description('change what an account may do everywhere; its sessions end')
    .action(async (name: string, role: string) => {
      const it = await open();
      const reply = await it.client.put<Changed>(userPath(name), { role });
      it.print({ ...reply, role }, () => `${printable(reply.name)} is ${role} now.`);
    });
  examples(setRole, ['vigocli users set-role grace approver']);
}

function addGrants(users: Command, open: OpenSession): void {
  const role = () => new Argument('<role>', 'the role over these envoys').choices(accessRoles);
  const grant = users
    .command('grant <user>')
    .addArgument(role())
    .argument('<envoys>', 'host name glob, or trait filter path=value')
    .description('give an account a role over some envoys; its sessions end')
    .action(async (name: string, given: Grant['role'], envoys: string) => {
      const it = await open();
      await changeGrants(it, name, (grants) => [
        ...grants.filter((each) => !same(each, given, envoys)),
        { role: given, envoys },
      ]);
    });
  examples(grant, [
    'vigocli users grant grace operator "web-*"',
    'vigocli users grant grace approver os.family=debian',
  ]);

  const ungrant = users
    .command('ungrant <user>')
    .addArgument(role())
    .argument('<envoys>', 'as it was granted')
    .description('take a role over some envoys away; its sessions end')
    .action(async (name: string, given: Grant['role'], envoys: string) => {
      const it = await open();
      await changeGrants(it, name, (grants) => {
        const left = grants.filter((each) => !same(each, given, envoys));
        if (left.length < grants.length) return left;
        throw new AdminError('API_NOT_FOUND', `grant ${given} on ${envoys}`);
      });
    });
  examples(ungrant, ['vigocli users ungrant grace operator "web-*"']);
}

function same(grant: Grant, role: string, envoys: string): boolean {
  return grant.role === role && grant.envoys === envoys;
}

async function changeGrants(
  it: Session,
  name: string,
  change: (grants: readonly Grant[]) => readonly Grant[],
): Promise<void> {
  const account = await it.client.get<AccountView>(userPath(name));
  const grants = change(account.grants);
  const reply = await it.client.put<Changed>(userPath(name), { grants });
  it.print(
    { ...reply, grants },
    () => `${printable(reply.name)}: ${grantWords(grants) || 'no grants'}`,
  );
}

function addStates(users: Command, open: OpenSession): void {
  const verbs = [
    ['disable', 'end the sessions of an account and refuse its logins and tokens'],
    ['enable', 'let a disabled account log in again'],
  ] as const;
  for (const [verb, description] of verbs) {
    const command = users
      .command(`${verb} <user>`)
      .description(description)
      .action(async (name: string) => {
        const it = await open();
        const reply = await it.client.post<Changed>(userPath(name, `/${verb}`), {});
        it.print(reply, () => `${printable(reply.name)} is ${verb}d.`);
      });
    examples(command, [`vigocli users ${verb} grace`]);
  }

  const remove = users
    .command('delete <user>')
    .description('delete an account for ever; its name is not given again')
    .option('--confirm <name>', 'the name again, so that nobody is deleted by a slip')
    .action(async (name: string, { confirm }: { confirm?: string }) => {
      if (confirm !== name) {
        const remedy = `add --confirm ${name}; to keep the account: vigocli users disable ${name}`;
        throw new AdminError('CLI_USAGE', `deleting ${name} was not confirmed`, undefined, remedy);
      }
      const it = await open();
      const reply = await it.client.delete<{ deleted: string; name: string }>(userPath(name));
      it.print(reply, () => `${printable(reply.name)} is deleted.`);
    });
  examples(remove, ['vigocli users delete grace --confirm grace']);
}

function addProofs(users: Command, open: OpenSession): void {
  const reset = users
    .command('reset-password <user>')
    .description('give an account a new password; its sessions end')
    .option('--password-file <file>', 'file with the new password, in its first line')
    .action(async (name: string, { passwordFile }: { passwordFile?: string }) => {
      const it = await open();
      const body = passwordFile === undefined ? {} : { password: passwordFrom(passwordFile) };
      const path = userPath(name, '/password');
      showPassword(it, await it.client.post<Changed & { password: string | null }>(path, body));
    });
  examples(reset, ['vigocli users reset-password grace']);

  const totp = users
    .command('reset-totp <user>')
    .description('remove the second factor of somebody who lost it; sessions end')
    .action(async (name: string) => {
      const it = await open();
      const reply = await it.client.delete<Changed>(userPath(name, '/totp'));
      it.print(reply, () => `${printable(reply.name)} has no second factor any more.`);
    });
  examples(totp, ['vigocli users reset-totp grace']);

  const end = users
    .command('end-sessions <user>')
    .description('log an account out everywhere, now')
    .action(async (name: string) => {
      const it = await open();
      const reply = await it.client.delete<Changed>(userPath(name, '/sessions'));
      it.print(reply, () => `${printable(reply.name)} is logged out everywhere.`);
    });
  examples(end, ['vigocli users end-sessions grace']);
}
