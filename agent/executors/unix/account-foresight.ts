import { dirname } from '../../converge/path-text.ts';
import type { GroupRecord, UserRecord } from '../../platform/accounts/account-files.ts';
import type { Platform } from '../../platform/platform.ts';
import { readText } from '../../platform/text-file.ts';
import type { Drift, Foresight } from '../contract.ts';
import { makeDirectories } from '../cross/places.ts';
import type { GroupSpec, GroupState } from './group.ts';
import type { UserState } from './user.ts';
import type { UserSpec } from './user-spec.ts';

/** Debian's first ids: what useradd would take is not known before it ran. */
const firstId = 1000;
const firstSystemId = 100;
const standardUmask = 0o022;
const skeleton = '/etc/skel';
/** Files of the skeleton that are looked at. */
const skeletonLimit = 100;

/** Later resources find the account that useradd would have made, with the id it would likely get. */
export async function foreseeUser(
  spec: UserSpec,
  { record, groups }: UserState,
  drift: Drift,
  { platform }: Foresight,
): Promise<Drift> {
  if (!spec.present) {
    await changeLine(platform, '/etc/passwd', spec.username, undefined);
    return drift;
  }
  const passwd = (await readText(platform, '/etc/passwd')) ?? '';
  const uid = spec.uid ?? record?.uid ?? freeId(passwd, spec.system);
  const gid = await primaryGroup(spec, record, groups, uid, platform);
  const home = spec.home ?? record?.home ?? `/home/${spec.username}`;
  const shell = spec.shell ?? record?.shell ?? '/bin/sh';
  const comment = spec.comment ?? record?.comment ?? '';
  const line = [spec.username, 'x', uid, gid, comment, home, shell].join(':');
  await changeLine(platform, '/etc/passwd', spec.username, line);
  if (spec.manageHome && home.startsWith('/')) await foreseeHome(home, uid, gid, platform);
  return drift;
}

async function primaryGroup(
  spec: UserSpec,
  record: UserRecord | undefined,
  groups: ReadonlyMap<string, GroupRecord>,
  uid: number,
  platform: Platform,
): Promise<number> {
  const wanted = spec.group ?? (record === undefined ? spec.username : undefined);
  if (wanted === undefined) return record!.gid;
  if (/^\d+$/.test(wanted)) return Number(wanted);
  const known = groups.get(wanted);
  if (known !== undefined) return known.gid;
  if (spec.group === undefined)
    await changeLine(platform, '/etc/group', wanted, `${wanted}:x:${uid}:`);
  return uid;
}

async function foreseeHome(
  home: string,
  uid: number,
  gid: number,
  platform: Platform,
): Promise<void> {
  const { files, paths } = platform;
  const path = await paths.resolve(home, { followLast: true });
  if ((await files.status(path)) !== undefined) return;
  await makeDirectories(dirname(path), platform);
  await files.makeDirectory(path, await homeMode(platform));
  await files.setOwner(path, uid, gid);
  const model = await paths.resolve(skeleton, { followLast: true });
  if ((await files.status(model))?.kind !== 'directory') return;
  for (const name of (await files.list(model)).slice(0, skeletonLimit)) {
    const status = await files.status(`${model}/${name}`);
    if (status?.kind !== 'file') continue;
    await files.copyFile(`${model}/${name}`, `${path}/${name}`, status.mode);
    await files.setOwner(`${path}/${name}`, uid, gid);
  }
}

/** As useradd and mkhomedir_helper choose it: login.defs(5). */
async function homeMode(platform: Platform): Promise<number> {
  const text = (await readText(platform, '/etc/login.defs')) ?? '';
  const setting = (name: string) => {
    const value = new RegExp(`^[ \\t]*${name}[ \\t]+([0-7]{1,4})[ \\t]*$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : Number.parseInt(value, 8);
  };
  return setting('HOME_MODE') ?? 0o777 & ~(setting('UMASK') ?? standardUmask);
}

export async function foreseeGroup(
  spec: GroupSpec,
  { record }: GroupState,
  drift: Drift,
  { platform }: Foresight,
): Promise<Drift> {
  const groups = (await readText(platform, '/etc/group')) ?? '';
  const gid = spec.gid ?? record?.gid ?? freeId(groups, spec.system);
  const members = (spec.members ?? record?.members ?? []).join(',');
  const line = spec.present ? `${spec.group}:x:${gid}:${members}` : undefined;
  await changeLine(platform, '/etc/group', spec.group, line);
  return drift;
}

function freeId(accounts: string, system: boolean): number {
  const used = new Set(accounts.split('\n').map((line) => Number(line.split(':')[2])));
  let id = system ? firstSystemId : firstId;
  while (used.has(id)) id += 1;
  return id;
}

async function changeLine(
  platform: Platform,
  declared: string,
  name: string,
  line: string | undefined,
): Promise<void> {
  const old = ((await readText(platform, declared)) ?? '').split('\n');
  const kept = old.filter((one) => one !== '' && !one.startsWith(`${name}:`));
  const lines = line === undefined ? kept : [...kept, line];
  const path = await platform.paths.resolve(declared, { followLast: true });
  await makeDirectories(dirname(path), platform);
  await platform.files.writeAtomic(path, new TextEncoder().encode(`${lines.join('\n')}\n`), {});
}
