import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  parseGroup,
  parsePasswd,
  parseShadow,
} from '../../agent/platform/accounts/account-files.ts';
import type { SimulatedTool } from './simulated-machine.ts';

/** The start of every simulated machine with accounts. */
export const accountFiles = {
  '/usr/sbin/useradd': '',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/etc/group': 'root:x:0:\nusers:x:100:\nadm:x:4:\n',
  '/etc/shadow': 'root:*:20000:0:99999:7:::\n',
} as const;

type Table = Map<string, string[]>;

/** useradd, usermod, ... as far as the executors use them, over the account files below the root. */
export const accountTools: Readonly<Record<string, SimulatedTool>> = {
  '/usr/sbin/useradd': (words, root) => {
    const { options, name } = parse(words);
    const [users, groups, shadow] = [
      read(root, 'passwd'),
      read(root, 'group'),
      read(root, 'shadow'),
    ];
    if (users.has(name)) return failure(9, `useradd: user '${name}' already exists`);
    const group = options.get('gid') ?? name;
    if (options.has('gid') && groupId(groups, group) === undefined)
      return failure(6, `useradd: group '${group}' does not exist`);
    if (!options.has('gid')) groups.set(name, [name, 'x', '2000', '']);
    const home = options.get('home') ?? `/home/${name}`;
    users.set(name, [name, 'x', '2000', groupId(groups, group)!, '', home, '/bin/sh']);
    shadow.set(name, [name, '!', '20000', '0', '99999', '7', '', '', '']);
    change(users.get(name)!, groups, options);
    if (words.includes('--create-home')) mkdirSync(`${root}${home}`, { recursive: true });
    write(root, 'group', groups);
    write(root, 'shadow', shadow);
    write(root, 'passwd', users);
    return undefined;
  },
  '/usr/sbin/usermod': (words, root) => {
    const { options, name } = parse(words);
    const [users, groups] = [read(root, 'passwd'), read(root, 'group')];
    const group = options.get('gid');
    if (group !== undefined && groupId(groups, group) === undefined)
      return failure(6, `usermod: group '${group}' does not exist`);
    change(users.get(name)!, groups, options);
    write(root, 'group', groups);
    write(root, 'passwd', users);
    return undefined;
  },
  '/usr/sbin/userdel': (words, root) => {
    const { name } = parse(words);
    const [users, groups] = [read(root, 'passwd'), read(root, 'group')];
    const home = users.get(name)![5]!;
    if (words.includes('--remove')) rmSync(`${root}${home}`, { recursive: true });
    users.delete(name);
    for (const group of groups.values()) group[3] = without(group[3]!, name);
    write(root, 'group', groups);
    write(root, 'passwd', users);
    return undefined;
  },
  '/usr/sbin/mkhomedir_helper': ([name], root) => {
    mkdirSync(`${root}${read(root, 'passwd').get(name!)![5]}`, { recursive: true });
    return undefined;
  },
  '/usr/sbin/chpasswd': (_words, root, stdin) => {
    const [name, hash] = stdin.trimEnd().split(':');
    const shadow = read(root, 'shadow');
    shadow.get(name!)![1] = hash!;
    write(root, 'shadow', shadow);
    return undefined;
  },
  '/usr/bin/chage': (words, root) => {
    const shadow = read(root, 'shadow');
    shadow.get(words.at(-1)!)![4] = words[1]!;
    write(root, 'shadow', shadow);
    return undefined;
  },
  '/usr/sbin/groupadd': (words, root) => {
    const groups = read(root, 'group');
    const name = words.at(-1)!;
    if (groups.has(name)) return failure(9, `groupadd: group '${name}' already exists`);
    const gid = words.includes('--gid') ? words[words.indexOf('--gid') + 1]! : '2000';
    groups.set(name, [name, 'x', gid, '']);
    write(root, 'group', groups);
    return undefined;
  },
  '/usr/sbin/groupmod': (words, root) => {
    const groups = read(root, 'group');
    groups.get(words.at(-1)!)![2] = words[1]!;
    write(root, 'group', groups);
    return undefined;
  },
  '/usr/sbin/groupdel': (words, root) => {
    const groups = read(root, 'group');
    groups.delete(words.at(-1)!);
    write(root, 'group', groups);
    return undefined;
  },
  '/usr/bin/gpasswd': (words, root) => {
    const [users, groups] = [read(root, 'passwd'), read(root, 'group')];
    const members = words[0]!.slice('--members='.length);
    const unknown = members.split(',').find((name) => name !== '' && !users.has(name));
    if (unknown !== undefined) return failure(3, `gpasswd: user '${unknown}' does not exist`);
    groups.get(words.at(-1)!)![3] = members;
    write(root, 'group', groups);
    return undefined;
  },
};

function failure(exitCode: number, stderr: string) {
  return { exitCode, stderr };
}

function parse(words: readonly string[]): { options: Map<string, string>; name: string } {
  const options = new Map<string, string>();
  for (const word of words) {
    const match = /^--([a-z-]+)=(.*)$/s.exec(word);
    if (match !== null) options.set(match[1]!, match[2]!);
  }
  return { options, name: words.at(-1)! };
}

function change(user: string[], groups: Table, options: ReadonlyMap<string, string>): void {
  const fields = [undefined, undefined, 'uid', 'gid', 'comment', 'home', 'shell'];
  for (const [index, field] of fields.entries()) {
    const value = field === undefined ? undefined : options.get(field);
    if (value !== undefined) user[index] = field === 'gid' ? groupId(groups, value)! : value;
  }
  const wanted = options.get('groups')?.split(',');
  if (wanted === undefined) return;
  for (const [name, group] of groups) {
    const others = without(group[3]!, user[0]!);
    const members = others === '' ? user[0]! : `${others},${user[0]}`;
    group[3] = wanted.includes(name) ? members : others;
  }
}

function groupId(groups: Table, group: string): string | undefined {
  return groups.get(group)?.[2] ?? [...groups.values()].find((one) => one[2] === group)?.[2];
}

function without(members: string, name: string): string {
  return members
    .split(',')
    .filter((member) => member !== '' && member !== name)
    .join(',');
}

function read(root: string, file: string): Table {
  const text = readFileSync(`${root}/etc/${file}`, 'utf8');
  const rows = text.split('\n').filter((line) => line !== '');
  return new Map(rows.map((line) => [line.split(':')[0]!, line.split(':')]));
}

function write(root: string, file: string, table: Table): void {
  const lines = [...table.values()].map((row) => `${row.join(':')}\n`);
  writeFileSync(`${root}/etc/${file}`, lines.join(''));
}

/** What the C library would read back. */
export function accounts(root: string) {
  const text = (file: string) => readFileSync(`${root}/etc/${file}`, 'utf8');
  return {
    users: parsePasswd(text('passwd')),
    groups: parseGroup(text('group')),
    shadow: parseShadow(text('shadow')),
  };
}
