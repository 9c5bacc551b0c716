import { AgentError } from '../../errors.ts';
import type {
  GroupRecord,
  ShadowRecord,
  UserRecord,
} from '../../platform/accounts/account-files.ts';
import type { AccountManager } from '../../platform/accounts/account-manager.ts';
import { saltOf, sha512Crypt } from '../../platform/accounts/sha512-crypt.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { userSchema } from '../../policy/resource-schemas/user.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { type KeysState, observeKeys, writeKeys } from './authorized-keys.ts';
import { compareUser, isMissingHome, wantedAttributes } from './user-compare.ts';
import { parseUser, type UserSpec } from './user-spec.ts';

export interface UserState {
  readonly manager: AccountManager;
  readonly record: UserRecord | undefined;
  readonly groups: ReadonlyMap<string, GroupRecord>;
  /** Undefined when it cannot be read. */
  readonly shadow: ShadowRecord | undefined;
  /** Of the home directory in the account file. */
  readonly home: FileStatus | undefined;
  readonly keys: KeysState | undefined;
}

/** Users of the account files. A declared password is compared by hashing it with the salt in use. */
export function createUserType(
  managerOf: (platform: Platform) => Promise<AccountManager>,
): ResourceType<UserSpec, UserState> {
  return {
    name: 'user',
    parameters: userSchema.parameters,
    confinable: false,
    timeoutMs: 300_000,
    parse: parseUser,
    observe: async (spec, context) => observe(spec, context, await managerOf(context.platform)),
    compare: compareUser,
    apply,
    targets: (spec) =>
      spec.home === undefined
        ? []
        : [{ kind: 'path', value: spec.home, effect: spec.present ? 'write' : 'remove' }],
  };
}

async function observe(
  spec: UserSpec,
  { platform }: ResourceContext,
  manager: AccountManager,
): Promise<UserState> {
  const [users, groups] = await Promise.all([manager.users(), manager.groups()]);
  const record = users.get(spec.username);
  if (record === undefined || !spec.present)
    return {
      manager,
      record,
      groups,
      shadow: undefined,
      home: record && (await homeStatus(platform, record.home)),
      keys: undefined,
    };
  const secret = spec.password !== undefined || spec.passwordMaximumAge !== undefined;
  return {
    manager,
    record,
    groups,
    shadow: secret ? await manager.shadow(spec.username) : undefined,
    home: await homeStatus(platform, record.home),
    keys: spec.authorizedKeys && (await observeKeys(platform, spec.home ?? record.home)),
  };
}

async function homeStatus(platform: Platform, home: string): Promise<FileStatus | undefined> {
  if (!home.startsWith('/')) return undefined;
  return platform.files.status(await platform.paths.resolve(home, { followLast: true }));
}

async function apply(
  spec: UserSpec,
  state: UserState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { signal } = context;
  const { manager, record } = state;
  if (!spec.present) return manager.removeUser(spec.username, removesHome(spec, state), signal);
  if (record === undefined) await create(spec, state, signal);
  else await change(spec, state, context);
  const changed = await observe(spec, context, manager);
  if (isMissingHome(spec, changed)) await manager.makeHome(spec.username, signal);
  const now = await observe(spec, context, manager);
  await repairPassword(spec, now, context);
  await repairKeys(spec, now, context);
}

/** Where a group of the user's name exists already, useradd wants to be told to use it. */
async function create(spec: UserSpec, state: UserState, signal: AbortSignal): Promise<void> {
  const { uid, comment, home, shell, groups } = spec;
  const own = state.groups.has(spec.username) ? spec.username : undefined;
  const attributes = { uid, comment, home, shell, groups, group: spec.group ?? own };
  const options = { system: spec.system, makeHome: spec.manageHome };
  await state.manager.createUser(spec.username, attributes, options, signal);
}

/** The content of the old home goes along unless something is at the new place already. */
async function change(
  spec: UserSpec,
  state: UserState,
  { platform, signal }: ResourceContext,
): Promise<void> {
  const attributes = wantedAttributes(spec, state);
  if (Object.keys(attributes).length === 0) return;
  const free = spec.home !== undefined && (await homeStatus(platform, spec.home)) === undefined;
  const moveHome = spec.manageHome && state.home?.kind === 'directory' && free;
  await state.manager.changeUser(spec.username, attributes, moveHome, signal);
}

/** Only a directory that belongs to the user itself and lies below another one goes with it. */
function removesHome(spec: UserSpec, { record, home }: UserState): boolean {
  if (!spec.manageHome || record === undefined || home?.kind !== 'directory') return false;
  const depth = record.home.split('/').filter((part) => part !== '').length;
  return record.uid !== 0 && home.uid === record.uid && depth >= 2;
}

async function repairPassword(
  spec: UserSpec,
  state: UserState,
  { platform, signal }: ResourceContext,
): Promise<void> {
  const { manager, shadow } = state;
  const { password, passwordMaximumAge: age } = spec;
  if (password !== undefined && sha512Crypt(password, shadow?.hash ?? '') !== shadow?.hash) {
    const hash = sha512Crypt(password, `$6$${saltOf(platform.host.randomBytes(16))}`);
    if (hash === undefined) throw new AgentError('AGENT_INTERNAL', 'no password hash');
    await manager.setPasswordHash(spec.username, hash, signal);
  }
  if (age !== undefined && (shadow?.maximumAge ?? -1) !== age)
    await manager.setPasswordMaximumAge(spec.username, age, signal);
}

async function repairKeys(
  spec: UserSpec,
  state: UserState,
  context: ResourceContext,
): Promise<void> {
  if (spec.authorizedKeys === undefined || state.record === undefined) return;
  await writeKeys(context, state.record, spec.authorizedKeys);
}
