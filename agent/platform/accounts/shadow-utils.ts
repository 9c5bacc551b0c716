import { AgentError, type AgentErrorCode } from '../../errors.ts';
import { causeOf, machineCode, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { Serial } from '../serial.ts';
import { ParsedFile, readText } from '../text-file.ts';
import {
  type GroupRecord,
  parseGroup,
  parsePasswd,
  parseShadow,
  type ShadowRecord,
  type UserRecord,
} from './account-files.ts';
import type { AccountManager, CreateUserOptions, UserAttributes } from './account-manager.ts';

/** Moving a large home directory is the longest of these operations. */
const operationTimeoutMs = 240_000;

const causes: readonly (readonly [RegExp, AgentErrorCode])[] = [
  [/cannot lock|existing lock file|unable to lock/i, 'AGENT_ACCOUNT_LOCKED'],
  [/group '.*' does not exist/i, 'AGENT_GROUP_UNKNOWN'],
  [/user '.*' does not exist/i, 'AGENT_USER_UNKNOWN'],
];

/** The tools of the package passwd (shadow-utils). One runs at a time, since they share a lock. */
export class ShadowUtilsManager implements AccountManager {
  readonly name = 'shadow-utils';
  readonly #platform: Platform;
  readonly #changes = new Serial();
  readonly #users = new ParsedFile('/etc/passwd', parsePasswd);
  readonly #groups = new ParsedFile('/etc/group', parseGroup);

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  users(): Promise<ReadonlyMap<string, UserRecord>> {
    return this.#users.get(this.#platform);
  }

  groups(): Promise<ReadonlyMap<string, GroupRecord>> {
    return this.#groups.get(this.#platform);
  }

  /** Not kept in memory between calls: it holds every hash of the machine. */
  async shadow(user: string): Promise<ShadowRecord | undefined> {
    if (this.#platform.host.effectiveUid !== 0) return undefined;
    return parseShadow((await readText(this.#platform, '/etc/shadow')) ?? '').get(user);
  }

  createUser(
    user: string,
    attributes: UserAttributes,
    options: CreateUserOptions,
    signal?: AbortSignal,
  ): Promise<void> {
    const home = options.makeHome ? '--create-home' : '--no-create-home';
    const system = options.system ? ['--system'] : [];
    const words = [home, ...system, ...userOptions(attributes), '--', user];
    return this.#run(['/usr/sbin/useradd', ...words], signal);
  }

  changeUser(
    user: string,
    attributes: UserAttributes,
    moveHome: boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const move = attributes.home !== undefined && moveHome ? ['--move-home'] : [];
    const words = [...userOptions(attributes), ...move, '--', user];
    return this.#run(['/usr/sbin/usermod', ...words], signal);
  }

  removeUser(user: string, removeHome: boolean, signal?: AbortSignal): Promise<void> {
    const words = removeHome ? ['--remove', '--', user] : ['--', user];
    return this.#run(['/usr/sbin/userdel', ...words], signal);
  }

  /** With the files of /etc/skel, as useradd makes it. */
  makeHome(user: string, signal?: AbortSignal): Promise<void> {
    return this.#run(['/usr/sbin/mkhomedir_helper', user, '0022'], signal);
  }

  setPasswordHash(user: string, hash: string, signal?: AbortSignal): Promise<void> {
    return this.#run(['/usr/sbin/chpasswd', '--encrypted'], signal, `${user}:${hash}\n`);
  }

  setPasswordMaximumAge(user: string, days: number, signal?: AbortSignal): Promise<void> {
    return this.#run(['/usr/bin/chage', '--maxdays', String(days), '--', user], signal);
  }

  createGroup(
    group: string,
    options: { readonly gid: number | undefined; readonly system: boolean },
    signal?: AbortSignal,
  ): Promise<void> {
    const gid = options.gid === undefined ? [] : ['--gid', String(options.gid)];
    const system = options.system ? ['--system'] : [];
    return this.#run(['/usr/sbin/groupadd', ...gid, ...system, '--', group], signal);
  }

  changeGroupId(group: string, gid: number, signal?: AbortSignal): Promise<void> {
    return this.#run(['/usr/sbin/groupmod', '--gid', String(gid), '--', group], signal);
  }

  removeGroup(group: string, signal?: AbortSignal): Promise<void> {
    return this.#run(['/usr/sbin/groupdel', '--', group], signal);
  }

  setMembers(group: string, members: readonly string[], signal?: AbortSignal): Promise<void> {
    const list = `--members=${members.join(',')}`;
    return this.#run(['/usr/bin/gpasswd', list, '--', group], signal);
  }

  #run(
    argv: readonly [string, ...string[]],
    signal: AbortSignal | undefined,
    stdin?: string,
  ): Promise<void> {
    return this.#changes.run(async () => {
      const options = { signal, timeoutMs: operationTimeoutMs };
      const result = await runTool(
        this.#platform,
        argv,
        stdin === undefined ? options : { ...options, stdin },
      );
      if (result.exitCode === 0) return;
      const cause = causeOf(result);
      const known = causes.find(([pattern]) => pattern.test(cause))?.[1];
      const code = machineCode(result) ?? known ?? 'AGENT_ACCOUNT_FAILED';
      throw new AgentError(code, `${argv[0]}: exit code ${result.exitCode}: ${cause}`);
    });
  }
}

/** Values follow "=" in one word, so that one that begins with "-" stays a value. */
function userOptions(attributes: UserAttributes): readonly string[] {
  const options: readonly (readonly [string, string | undefined])[] = [
    ['uid', attributes.uid?.toString()],
    ['gid', attributes.group],
    ['groups', attributes.groups?.join(',')],
    ['comment', attributes.comment],
    ['home', attributes.home],
    ['shell', attributes.shell],
  ];
  return options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}
