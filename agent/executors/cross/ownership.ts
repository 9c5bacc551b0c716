import { AgentError } from '../../errors.ts';
import { parseGroup, parsePasswd, type UserRecord } from '../../platform/accounts/account-files.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { ParsedFile } from '../../platform/text-file.ts';
import type { ParameterReader } from '../parameters.ts';

/** Declared owner, by name or number. */
export interface Ownership {
  readonly owner: string | undefined;
  readonly group: string | undefined;
}

/** The same as the kernel knows them; undefined leaves what is there. */
export interface OwnerIds {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

const idPattern = /^\d{1,10}$/;
const lookupTimeoutMs = 10_000;

class AccountFiles {
  readonly users = new ParsedFile('/etc/passwd', parsePasswd);
  readonly groups = new ParsedFile('/etc/group', parseGroup);
}

/** Per platform, since each has a root of its own. */
const accountFiles = new WeakMap<Platform, AccountFiles>();

function accountsOf(platform: Platform): AccountFiles {
  let files = accountFiles.get(platform);
  if (files === undefined) {
    files = new AccountFiles();
    accountFiles.set(platform, files);
  }
  return files;
}

export function readOwnership(reader: ParameterReader): Ownership {
  return { owner: reader.text('owner'), group: reader.text('group') };
}

/** Permission bits of an octal text; undefined when unset. */
export function readMode(reader: ParameterReader, name = 'mode'): number | undefined {
  const value = reader.text(name);
  if (value === undefined) return undefined;
  if (/^(0o)?[0-7]{1,5}$/.test(value)) {
    const mode = Number.parseInt(value.replace('0o', ''), 8);
    if (mode <= 0o7777) return mode;
  }
  reader.problem(name, 'must be octal digits such as 0644');
  return undefined;
}

/**
 * Ids from the accounts beneath the root; on the whole machine also from its directory service
 * (getent), for names that are not in the files.
 *
 * @throws {AgentError} AGENT_USER_UNKNOWN, AGENT_GROUP_UNKNOWN
 */
export async function ownerIds(ownership: Ownership, platform: Platform): Promise<OwnerIds> {
  const { owner, group } = ownership;
  return {
    uid: owner === undefined ? undefined : await userId(owner, platform),
    gid: group === undefined ? undefined : await groupId(group, platform),
  };
}

async function userId(name: string, platform: Platform): Promise<number> {
  if (idPattern.test(name)) return Number(name);
  return (await findUser(name, platform)).uid;
}

export async function findUser(name: string, platform: Platform): Promise<UserRecord> {
  const users = await accountsOf(platform).users.get(platform);
  const user = users.get(name) ?? parsePasswd(await getent('passwd', name, platform)).get(name);
  if (user === undefined) throw new AgentError('AGENT_USER_UNKNOWN', { detail: name });
  return user;
}

async function groupId(name: string, platform: Platform): Promise<number> {
  if (idPattern.test(name)) return Number(name);
  const groups = await accountsOf(platform).groups.get(platform);
  const group = groups.get(name) ?? parseGroup(await getent('group', name, platform)).get(name);
  if (group === undefined) throw new AgentError('AGENT_GROUP_UNKNOWN', { detail: name });
  return group.gid;
}

async function getent(database: string, name: string, platform: Platform): Promise<string> {
  if (platform.paths.confined || platform.host.operatingSystem !== 'linux') return '';
  const result = await platform.processes.run({
    argv: ['getent', '--', database, name],
    timeoutMs: lookupTimeoutMs,
  });
  return result.exitCode === 0 ? result.stdout : '';
}

/** One line per attribute that differs. */
export function ownerDrift(ids: OwnerIds, status: FileStatus): string[] {
  const drift: string[] = [];
  if (ids.uid !== undefined && ids.uid !== status.uid)
    drift.push(`owner ${status.uid} -> ${ids.uid}`);
  if (ids.gid !== undefined && ids.gid !== status.gid)
    drift.push(`group ${status.gid} -> ${ids.gid}`);
  return drift;
}

export function modeDrift(mode: number | undefined, status: FileStatus): string[] {
  if (mode === undefined || mode === status.mode) return [];
  return [`mode ${octal(status.mode)} -> ${octal(mode)}`];
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Owner first: chown clears setuid and setgid. */
export async function setAttributes(
  path: string,
  status: FileStatus,
  mode: number | undefined,
  ids: OwnerIds,
  platform: Platform,
): Promise<void> {
  const chown = ownerDrift(ids, status).length > 0;
  if (chown) await platform.files.setOwner(path, ids.uid ?? status.uid, ids.gid ?? status.gid);
  if (mode !== undefined && status.kind !== 'symlink' && (chown || mode !== status.mode))
    await platform.files.setMode(path, mode);
}
