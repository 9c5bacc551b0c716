import { AgentError } from '../../errors.ts';
import type { GroupRecord, UserRecord } from '../../platform/accounts/account-files.ts';
import type { AccountManager } from '../../platform/accounts/account-manager.ts';
import { PasswordChecks } from '../../platform/accounts/password-checks.ts';
import { saltOf, sha512Crypt } from '../../platform/accounts/sha512-crypt.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { checkTarget, standardLayout } from '../../policy/guardrails.ts';
import { userSchema } from '../../policy/resource-schemas/user.ts';
import type { ResourceContext, ResourceType } from '../contract.ts';
import { foreseeUser } from './account-foresight.ts';
import { type KeysState, observeKeys, writeKeys } from './authorized-keys.ts';
import { compareUser, isMissingHome, wantedAttributes } from './user-compare.ts';
import { parseUser, type UserSpec } from './user-spec.ts';

export interface UserState {
  readonly manager: AccountManager;
  readonly record: UserRecord | undefined;
  readonly groups: ReadonlyMap<string, GroupRecord>;
  /** Whether the declared password is the one in use; undefined when none is declared. */
  readonly passwordMatches: boolean | undefined;
  /** Days until the password must be changed; -1 = never or unknown. */
  readonly passwordMaximumAge: number;
  /** Of the home directory in the account file. */
  readonly home: FileStatus | undefined;
  readonly keys: KeysState | undefined;
}

/** Users of the account files. A declared password is compared by hashing it with the salt in use. */
export function createUserType(
  managerOf: (platform: Platform) => Promise<AccountManager>,
): ResourceType<UserSpec, UserState> {
  const checks = new PasswordChecks();
  const look = async (spec: UserSpec, context: ResourceContext) =>
    observe(spec, context, await managerOf(context.platform), checks);
  return {
    name: 'user',
    parameters: userSchema.parameters,
    confinable: false,
    timeoutMs: 300_000,
    parse: parseUser,
    observe: look,
    compare: compareUser,
    apply: (spec, state, _drift, context) => apply(spec, state, context, () => look(spec, context)),
    foresee: foreseeUser,
    foreseesAll: true,
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
  checks: PasswordChecks,
): Promise<UserState> {
  const [users, groups] = await Promise.all([manager.users(), manager.groups()]);
  const record = users.get(spec.username);
  const wanted = record !== undefined && spec.present;
  const secret = spec.password !== undefined || spec.passwordMaximumAge !== undefined;
  const shadow = wanted && secret ? await manager.shadow(spec.username) : undefined;
  return {
    manager,
    record,
    groups,
    passwordMatches:
      spec.password === undefined ? undefined : checks.matches(spec.password, shadow?.hash ?? ''),
    passwordMaximumAge: shadow?.maximumAge ?? -1,
    home: record && (await homeStatus(platform, record.home)),
    keys:
      wanted && spec.authorizedKeys !== undefined
        ? await observeKeys(platform, spec.home ?? record.home)
        : undefined,
  };
}

async function homeStatus(platform: Platform, home: string): Promise<FileStatus | undefined> {
  if (!home.startsWith('/')) return undefined;
  return platform.files.status(await platform.paths.resolve(home, { followLast: true }));
}

async function apply(
  spec: UserSpec,
  state: UserState,
  context: ResourceContext,
  look: () => Promise<UserState>,
): Promise<void> {
  const { signal } = context;
  const { manager, record } = state;
  if (!spec.present) return manager.removeUser(spec.username, removesHome(spec, state), signal);
  if (record === undefined) await create(spec, state, signal);
  else await change(spec, state, context);
  if (isMissingHome(spec, await look())) await manager.makeHome(spec.username, signal);
  const now = await look();
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
  if (record.uid === 0 || home.uid !== record.uid || depth < 2) return false;
  // The declaration need not name the home directory, so that the guardrails could not see it.
  const target = { kind: 'path', value: record.home, effect: 'remove' } as const;
  const refusal = checkTarget(target, standardLayout);
  if (refusal !== undefined) throw new AgentError('AGENT_GUARDRAIL', refusal.reason);
  return true;
}

async function repairPassword(
  spec: UserSpec,
  state: UserState,
  { platform, signal }: ResourceContext,
): Promise<void> {
  const { manager } = state;
  const { password, passwordMaximumAge: age } = spec;
  if (password !== undefined && state.passwordMatches !== true) {
    const hash = sha512Crypt(password, `$6$${saltOf(platform.host.randomBytes(16))}`);
    if (hash === undefined) throw new AgentError('AGENT_INTERNAL', 'no password hash');
    await manager.setPasswordHash(spec.username, hash, signal);
  }
  if (age !== undefined && state.passwordMaximumAge !== age)
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
