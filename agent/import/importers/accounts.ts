import { AgentError } from '../../errors.ts';
import type { UserRecord } from '../../platform/accounts/account-files.ts';
import {
  type AccountManager,
  detectAccountManager,
} from '../../platform/accounts/account-manager.ts';
import { readText } from '../../platform/text-file.ts';
import type { ImportContext, Importer } from '../contract.ts';
import { given } from '../parameters.ts';

/** Where accounts of people begin and end on Debian and its kin (login.defs(5)). */
const firstHumanId = 1000;
const nobodyId = 65_534;

export const groupImporter: Importer = {
  kind: 'group',
  scope: 'groups with an id from 1000 on',
  async names(context) {
    const groups = (await (await managerOf(context)).groups()).values();
    return [...groups]
      .filter(({ gid }) => isHuman(gid))
      .map(({ name }) => name)
      .sort();
  },
  async read(name, context) {
    const group = (await (await managerOf(context)).groups()).get(name);
    if (group === undefined)
      throw new AgentError('AGENT_IMPORT_REFUSED', {
        what: `group ${name}`,
        why: 'no such group',
      });
    const parameters = given({
      group: name,
      gid: group.gid,
      members: group.members.length === 0 ? undefined : [...group.members].sort(),
      system: isHuman(group.gid) ? undefined : true,
    });
    return [{ type: 'group', subject: name, parameters }];
  },
};

export const userImporter: Importer = {
  kind: 'user',
  scope: 'users with an id from 1000 on',
  async names(context) {
    const users = (await (await managerOf(context)).users()).values();
    return [...users]
      .filter(({ uid }) => isHuman(uid))
      .map(({ name }) => name)
      .sort();
  },
  async read(name, context) {
    const manager = await managerOf(context);
    const user = (await manager.users()).get(name);
    if (user === undefined)
      throw new AgentError('AGENT_IMPORT_REFUSED', {
        what: `user ${name}`,
        why: 'no such user',
      });
    const groups = [...(await manager.groups()).values()];
    const primary = groups.find(({ gid }) => gid === user.gid)?.name ?? String(user.gid);
    const others = groups
      .filter((group) => group.members.includes(name) && group.gid !== user.gid)
      .map((group) => group.name)
      .sort();
    const keys = await authorizedKeys(user, context);
    return [
      {
        type: 'user',
        subject: name,
        parameters: given({
          username: name,
          uid: user.uid,
          group: primary,
          groups: others.length === 0 ? undefined : others,
          comment: user.comment === '' ? undefined : user.comment,
          home: user.home,
          shell: user.shell,
          manage_home: (await hasHome(user, context)) ? undefined : false,
          authorized_keys: keys,
          system: isHuman(user.uid) ? undefined : true,
        }),
        note: 'the password is left as it is',
      },
    ];
  },
};

function isHuman(id: number): boolean {
  return id >= firstHumanId && id !== nobodyId;
}

async function hasHome(user: UserRecord, { platform }: ImportContext): Promise<boolean> {
  const real = await platform.paths.resolve(user.home, { followLast: true });
  return (await platform.files.status(real))?.kind === 'directory';
}

/** Only a plain list of keys: options of other forms and comment lines would not come back the same. */
async function authorizedKeys(
  user: UserRecord,
  { platform }: ImportContext,
): Promise<string[] | undefined> {
  const text = await readText(platform, `${user.home}/.ssh/authorized_keys`);
  const lines = text?.split('\n').filter((line) => line !== '') ?? [];
  return lines.length === 0 || lines.some((line) => /^\s|^#/.test(line)) ? undefined : lines;
}

async function managerOf({ platform }: ImportContext): Promise<AccountManager> {
  const manager = await detectAccountManager(platform);
  if (manager === undefined) throw new AgentError('AGENT_ACCOUNT_MANAGER_MISSING');
  return manager;
}
