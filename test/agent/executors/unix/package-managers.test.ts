import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { packageType } from '../../../../agent/executors/unix/package.ts';
import type { RunRequest } from '../../../../agent/platform/platform.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';
import {
  arrange,
  type SimulatedTool,
  simulatedMachine,
} from '../../../support/simulated-machine.ts';

/** What is installed: name -> version. */
type Packages = Readonly<Record<string, string>>;

/** A machine of which only the files that the agent reads are real, and tools that change them. */
interface SimulatedManager {
  readonly name: string;
  readonly arrange: (root: string, packages: Packages) => void;
  readonly read: (root: string) => Packages;
  readonly held: (root: string) => boolean;
  readonly tools: Readonly<Record<string, SimulatedTool>>;
}

const newest = '2.0-1';

const rpmDatabase = '/var/lib/rpm/rpmdb.sqlite';
const readJson = (root: string, path: string): Record<string, string> =>
  existsSync(root + path) ? JSON.parse(readFileSync(root + path, 'utf8')) : {};
const change = (root: string, path: string, edit: (all: Record<string, string>) => void) => {
  const all = readJson(root, path);
  edit(all);
  writeFileSync(root + path, JSON.stringify(all));
};
const afterDashes = (words: readonly string[]) => words.slice(words.indexOf('--') + 1);
/** "name-version" or "name=version", of names without a dash. */
const split = (word: string): [string, string] => {
  const [, name = word, version = newest] = /^([a-z]+)[-=](.*)$/.exec(word) ?? [];
  return [name, version.includes('-') ? version : `${version}-1`];
};
const installTo = (root: string, words: readonly string[]) =>
  change(root, rpmDatabase, (all) => {
    for (const word of words) all[split(word)[0]] = split(word)[1];
  });
const removeFrom = (root: string, words: readonly string[]) =>
  change(root, rpmDatabase, (all) => {
    for (const word of words) delete all[word];
  });
const rpm: SimulatedTool = (_words, root) => ({
  stdout: Object.entries(readJson(root, rpmDatabase))
    .map(([name, version]) => `${name}\t0:${version}\tnoarch\t1\n`)
    .join(''),
});
const arrangeRpm = (root: string, packages: Packages) =>
  arrange(root, { '/usr/bin/rpm': '', [rpmDatabase]: JSON.stringify(packages) });

const dnfLocks = '/etc/dnf/plugins/versionlock.list';
const dnf: SimulatedTool = (words, root) => {
  const verb = words.find((word) => /^[a-z]+$/.test(word));
  if (verb === 'repoquery')
    return {
      stdout: words
        .slice(5)
        .map((name) => `${name}\t0:${newest}\n`)
        .join(''),
    };
  if (verb === 'versionlock') {
    const [action, name] = words.slice(words.indexOf('versionlock') + 1);
    const lock = `${name!.replace(/-(?=\d)/, '-0:')}.*\n`;
    arrange(root, { [dnfLocks]: action === 'add' ? lock : '' });
  } else if (verb === 'remove') removeFrom(root, afterDashes(words));
  else installTo(root, afterDashes(words));
  return undefined;
};

const zypperLocks = '/etc/zypp/locks';
const zypper: SimulatedTool = (words, root) => {
  const verb = words.find((word) => /^[a-z]+$/.test(word));
  const names = words.filter((word) => /^[a-z]+$/.test(word) && word !== verb);
  if (verb === 'search')
    return {
      stdout: names
        .map((name) => `<solvable kind="package" name="${name}" edition="${newest}"/>`)
        .join(''),
    };
  if (verb === 'addlock')
    arrange(root, { [zypperLocks]: `type: package\nsolvable_name: ${names[0]}\n` });
  else if (verb === 'removelock') arrange(root, { [zypperLocks]: '' });
  else if (verb === 'remove') removeFrom(root, afterDashes(words));
  else installTo(root, afterDashes(words));
  return undefined;
};

const local = '/var/lib/pacman/local';
const pacman: SimulatedTool = (words, root) => {
  if (words[0] === '-Sl') return { stdout: `core web ${newest}\ncore data ${newest}\n` };
  for (const word of afterDashes(words)) {
    const [name, version] =
      words[0] === '-U' ? split(/(\w+-[^-]+-\d)-any/.exec(word)![1]!) : [word, newest];
    for (const old of readdirSync(root + local).filter((one) => one.startsWith(`${name}-`)))
      rmSync(`${root}${local}/${old}`, { recursive: true });
    if (words[0] !== '-R') mkdirSync(`${root}${local}/${name}-${version}`);
  }
  return undefined;
};
const readLocal = (root: string): Packages =>
  Object.fromEntries(readdirSync(root + local).map((one) => split(one)));

const apkDatabase = '/lib/apk/db/installed';
const world = '/etc/apk/world';
const apk: SimulatedTool = (words, root) => {
  const installed = readApk(root);
  // As recorded from apk-tools 2.14: a heading, then a line for each that can be upgraded.
  if (words.includes('version'))
    return {
      stdout: `Installed:                                Available:\n${Object.entries(installed)
        .filter(([, version]) => version !== newestApk)
        .map(([name, version]) => `${`${name}-${version}`.padEnd(40)}< ${newestApk} \n`)
        .join('')}`,
    };
  const wanted = new Map<string, string>();
  for (const word of afterDashes(words)) {
    const [name, version] = word.split('=');
    if (words.includes('del')) delete installed[name!];
    else {
      installed[name!] = version ?? newestApk;
      wanted.set(name!, word);
    }
  }
  arrange(root, {
    [world]: [...wanted.values(), ''].join('\n'),
    [apkDatabase]: apkText(installed),
  });
  return undefined;
};
const newestApk = newest.replace('-', '-r');
const readApk = (root: string): Record<string, string> =>
  Object.fromEntries(
    [...readFileSync(root + apkDatabase, 'utf8').matchAll(/^P:(.*)\nV:(.*)$/gm)].map(
      ([, name, version]) => [name!, version!],
    ),
  );
const apkText = (packages: Packages) =>
  Object.entries(packages)
    .map(([name, version]) => `C:Q1abc=\nP:${name}\nV:${version}\nA:x86_64\n\n`)
    .join('');

const managers: readonly SimulatedManager[] = [
  {
    name: 'dnf',
    arrange: (root, packages) => {
      arrangeRpm(root, packages);
      arrange(root, { '/usr/bin/dnf': '' });
    },
    read: (root) => readJson(root, rpmDatabase),
    held: (root) => readFileSync(root + dnfLocks, 'utf8') === 'web-0:1.5-1.*\n',
    tools: { '/usr/bin/dnf': dnf, '/usr/bin/rpm': rpm },
  },
  {
    name: 'zypper',
    arrange: (root, packages) => {
      arrangeRpm(root, packages);
      arrange(root, {
        '/usr/bin/zypper': '',
        '/etc/zypp/repos.d/a.repo': '[main]\nenabled=1\n',
        '/var/cache/zypp/raw/main/repodata/repomd.xml': '',
      });
    },
    read: (root) => readJson(root, rpmDatabase),
    held: (root) => readFileSync(root + zypperLocks, 'utf8').includes('solvable_name: web'),
    tools: { '/usr/bin/zypper': zypper, '/usr/bin/rpm': rpm },
  },
  {
    name: 'pacman',
    arrange: (root, packages) => {
      arrange(root, {
        '/usr/bin/pacman': '',
        '/etc/pacman.conf': '[options]\nArchitecture = auto\n[core]\n',
        '/var/lib/pacman/sync/core.db': '',
        '/var/cache/pacman/pkg/web-1.5-1-any.pkg.tar.zst': '',
      });
      mkdirSync(root + local, { recursive: true });
      for (const [name, version] of Object.entries(packages))
        mkdirSync(`${root}${local}/${name}-${version}`);
    },
    read: readLocal,
    held: (root) => readFileSync(`${root}/etc/pacman.conf`, 'utf8').includes('IgnorePkg = web\n'),
    tools: { '/usr/bin/pacman': pacman },
  },
  {
    name: 'apk',
    arrange: (root, packages) =>
      arrange(root, {
        '/sbin/apk': '',
        [world]: '',
        [apkDatabase]: apkText(apkVersions(packages)),
      }),
    read: (root) => rpmVersions(readApk(root)),
    held: (root) => readFileSync(root + world, 'utf8') === 'web=1.5-r1\n',
    tools: { '/sbin/apk': apk },
  },
];
const apkVersions = (packages: Packages): Packages =>
  Object.fromEntries(
    Object.entries(packages).map(([name, version]) => [name, version.replace('-', '-r')]),
  );
const rpmVersions = (packages: Packages): Packages =>
  Object.fromEntries(
    Object.entries(packages).map(([name, version]) => [name, version.replace('-r', '-')]),
  );

function cases(manager: SimulatedManager): ExecutorCase[] {
  const having = (packages: Packages) => (root: string) => manager.arrange(root, packages);
  const holds = (packages: Packages) => (root: string, t: Test) =>
    t.same(manager.read(root), packages);
  const release = manager.name === 'apk' ? '1.5-r1' : '1.5-1';
  return [
    {
      name: 'not installed',
      parameters: { package: 'web,base' },
      arrange: having({ base: '1.0-1' }),
      action: 'created',
      reason: /^web is not installed$/,
      check: holds({ base: '1.0-1', web: newest }),
    },
    {
      name: 'installed, in the version that is meant',
      parameters: { package: 'web', version: '1.5' },
      arrange: having({ web: '1.5-1' }),
      action: 'none',
    },
    {
      name: 'not the newest',
      parameters: { package: 'web', state: 'latest' },
      arrange: having({ web: '1.5-1' }),
      action: 'updated',
      check: holds({ web: newest }),
    },
    {
      name: 'not the version, and not held',
      parameters: { package: 'web', version: release, allow_downgrade: true, lock_version: true },
      arrange: having({ web: newest }),
      action: 'updated',
      check: (root, t) => {
        holds({ web: '1.5-1' })(root, t);
        t.ok(manager.held(root), 'held');
      },
    },
    {
      name: 'absent, but installed',
      parameters: { package: 'web', state: 'absent' },
      arrange: having({ web: '1.5-1', base: '1.0-1' }),
      action: 'deleted',
      check: holds({ base: '1.0-1' }),
    },
  ];
}

for (const manager of managers) {
  t.test(`packages of ${manager.name} are what is declared`, async (t) => {
    const platform = simulatedMachine(manager.tools);
    const rows = cases(manager);
    await proveExecutor(t, packageType, rows, {
      platform,
      interrupted: 'none',
      backend: manager.name,
    });
    // The one with the most steps; in the others the program is the only one.
    await proveExecutor(t, packageType, [rows[3]!], { platform, backend: manager.name });
  });

  t.test(`${manager.name} is asked nothing twice`, async (t) => {
    const calls: RunRequest[] = [];
    const platform = simulatedMachine(manager.tools, calls);
    await proveExecutor(t, packageType, [cases(manager)[1]!], { platform, backend: manager.name });
    // A pass is a new agent in the harness, and there are three; only rpm has no file to be read.
    t.ok(calls.length <= 3, calls.map(({ argv }) => argv.join(' ')).join('\n'));
    t.ok(calls.every(({ argv }) => argv[0] === '/usr/bin/rpm'));
  });
}
