import type { Platform } from '../platform.ts';
import type { GroupRecord, ShadowRecord, UserRecord } from './account-files.ts';
import { ShadowUtilsManager } from './shadow-utils.ts';

/** What of a user is to change or to be set; undefined leaves it or takes the tool's default. */
export interface UserAttributes {
  readonly uid?: number | undefined;
  /** Primary group by name or number. */
  readonly group?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly comment?: string | undefined;
  readonly home?: string | undefined;
  readonly shell?: string | undefined;
}

export interface CreateUserOptions {
  readonly system: boolean;
  readonly makeHome: boolean;
}

/**
 * What the executors need of the tools for accounts. Reads are answered from the account files.
 * No password and no hash ever stands in an argument list. Failures are AgentErrors.
 */
export interface AccountManager {
  readonly name: string;
  users(): Promise<ReadonlyMap<string, UserRecord>>;
  groups(): Promise<ReadonlyMap<string, GroupRecord>>;
  /** Undefined when it cannot be read (not root). */
  shadow(user: string): Promise<ShadowRecord | undefined>;
  createUser(
    user: string,
    attributes: UserAttributes,
    options: CreateUserOptions,
    signal?: AbortSignal,
  ): Promise<void>;
  /** `moveHome` takes the content of the home directory along. */
  changeUser(
    user: string,
    attributes: UserAttributes,
    moveHome: boolean,
    signal?: AbortSignal,
  ): Promise<void>;
  removeUser(user: string, removeHome: boolean, signal?: AbortSignal): Promise<void>;
  makeHome(user: string, signal?: AbortSignal): Promise<void>;
  setPasswordHash(user: string, hash: string, signal?: AbortSignal): Promise<void>;
  /** Days until the password must be changed; -1 = never. */
  setPasswordMaximumAge(user: string, days: number, signal?: AbortSignal): Promise<void>;
  createGroup(
    group: string,
    options: { readonly gid: number | undefined; readonly system: boolean },
    signal?: AbortSignal,
  ): Promise<void>;
  changeGroupId(group: string, gid: number, signal?: AbortSignal): Promise<void>;
  removeGroup(group: string, signal?: AbortSignal): Promise<void>;
  setMembers(group: string, members: readonly string[], signal?: AbortSignal): Promise<void>;
}

/** The account tools of this machine; undefined when none are supported. */
export async function detectAccountManager(
  platform: Platform,
): Promise<AccountManager | undefined> {
  const tool = await platform.paths.resolve('/usr/sbin/useradd', { followLast: true });
  if ((await platform.files.status(tool))?.kind === 'file') return new ShadowUtilsManager(platform);
  return undefined;
}
