import t from 'tap';
import { AgentError } from '../../../../agent/errors.ts';
import { ApkManager } from '../../../../agent/platform/packages/apk.ts';
import {
  comparable,
  parseApkDatabase,
  parseNewer,
  parseWorld,
} from '../../../../agent/platform/packages/apk-files.ts';
import { detectPackageManager } from '../../../../agent/platform/packages/detect.ts';
import { DnfManager } from '../../../../agent/platform/packages/dnf.ts';
import { parseLocks } from '../../../../agent/platform/packages/dnf-locks.ts';
import type { PackageManager } from '../../../../agent/platform/packages/package-manager.ts';
import { PacmanManager } from '../../../../agent/platform/packages/pacman.ts';
import {
  comparablePacman,
  isDependency,
  parseIgnored,
  parseLocalName,
  parsePacmanUpgrades,
  parseSyncList,
  withIgnored,
  withoutIgnored,
} from '../../../../agent/platform/packages/pacman-files.ts';
import { parseRpmList } from '../../../../agent/platform/packages/rpm-database.ts';
import {
  compareVersions,
  meansVersion,
} from '../../../../agent/platform/packages/version-order.ts';
import { ZypperManager } from '../../../../agent/platform/packages/zypper.ts';
import {
  parseAliases,
  parseSearch,
  parseUnneeded,
  parseUpdates,
  parseZypperLocks,
} from '../../../../agent/platform/packages/zypper-output.ts';
import type { Platform, RunResult } from '../../../../agent/platform/platform.ts';
import { fc } from '../../../support/property.ts';
import { arrange, simulatedMachine } from '../../../support/simulated-machine.ts';

const machine = (t: { testdir(): string }, answer: Partial<RunResult> = {}) => {
  const root = t.testdir();
  const tool = () => answer;
  const programs = ['/usr/bin/dnf', '/usr/bin/rpm', '/usr/bin/zypper', '/usr/bin/pacman'];
  const tools = Object.fromEntries([...programs, '/sbin/apk'].map((program) => [program, tool]));
  return { root, platform: simulatedMachine(tools)(root) };
};
const options = { flags: [], timeoutMs: 1000 };

t.test('the manager of the system is taken, not any that is installed', async (t) => {
  const { root, platform } = machine(t);
  t.equal(await detectPackageManager(platform), undefined);
  arrange(root, { '/usr/bin/pacman': '' });
  t.equal((await detectPackageManager(platform))?.name, 'pacman');
  arrange(root, {
    ...Object.fromEntries(
      ['apt-get', 'dnf', 'yum', 'zypper'].map((name) => [`/usr/bin/${name}`, '']),
    ),
    '/sbin/apk': '',
  });
  t.equal((await detectPackageManager(platform))?.name, 'apt', 'without os-release');
  const systems = {
    'ID=debian': 'apt',
    'ID="rocky"\nID_LIKE="rhel centos fedora"': 'dnf',
    'ID="opensuse-leap"\nID_LIKE="suse opensuse"': 'zypper',
    'ID=arch': 'pacman',
    'ID=alpine': 'apk',
    'ID=unheard-of': 'apt',
  };
  for (const [text, name] of Object.entries(systems)) {
    arrange(root, { '/etc/os-release': `NAME=x\n${text}\n` });
    t.equal((await detectPackageManager(platform))?.name, name, text);
  }
});

/** Recorded from dnf 4.14, zypper 1.14 and pacman 6.0; for apk from transcripts of 2.14 in public. */
const recorded: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  dnf: [
    ['AGENT_PACKAGE_UNKNOWN', 'Error: Unable to find a match: nosuch'],
    [
      'AGENT_PACKAGE_REPOSITORY',
      "Error: Failed to download metadata for repo 'lab': Cannot download repomd.xml: All mirrors were tried",
    ],
    [
      'AGENT_PACKAGE_REPOSITORY',
      '\nYou have enabled checking of packages via GPG keys. This is a good thing.\n',
    ],
    ['AGENT_PACKAGE_REPOSITORY', 'Package x.rpm is not signed\nError: GPG check FAILED'],
    [
      'AGENT_PACKAGE_HOLD',
      'No such command: versionlock. Please use /usr/bin/dnf --help\nIt could be a DNF plugin command',
    ],
    [
      'AGENT_DISK_FULL',
      'Error: Transaction test error:\n  installing package x needs 9MB more space on the / filesystem\nDisk Requirements:\n   At least 9MB more space needed on the / filesystem.',
    ],
    ['AGENT_PACKAGE_FAILED', 'Error: \n Problem: conflicting requests'],
  ],
  zypper: [
    ['AGENT_PACKAGE_UNKNOWN', "No provider of 'nosuch' found."],
    [
      'AGENT_PACKAGE_LOCKED',
      'System management is locked by the application with pid 1726 (zypper).\nClose this application before trying again.',
    ],
    [
      'AGENT_PACKAGE_REPOSITORY',
      "Problem retrieving files from 'lab'.\nSkipping repository 'lab' because of the above error.",
    ],
    [
      'AGENT_PACKAGE_REPOSITORY',
      'lab-hello-1.1-1.noarch (lab): Signature verification failed [6-File is unsigned]',
    ],
    ['AGENT_PACKAGE_FAILED', 'Problem: conflicting requests\n Solution 1: remove lock'],
  ],
  pacman: [
    ['AGENT_PACKAGE_UNKNOWN', 'error: target not found: nosuch'],
    [
      'AGENT_PACKAGE_LOCKED',
      'error: failed to init transaction (unable to lock database)\nerror: could not lock database: File exists',
    ],
    ['AGENT_PACKAGE_REPOSITORY', 'error: lab: missing required signature'],
    [
      'AGENT_PACKAGE_REPOSITORY',
      "error: failed retrieving file 'lab.db' from disk : Couldn't open file /srv/nope/lab.db",
    ],
    ['AGENT_DISK_FULL', 'error: could not extract /x (Write failed)\nNo space left on device'],
    [
      'AGENT_PACKAGE_FAILED',
      'error: failed to prepare transaction (could not satisfy dependencies)',
    ],
  ],
  apk: [
    [
      'AGENT_PACKAGE_UNKNOWN',
      'ERROR: unable to select packages:\n  groupadd (no such package):\n    required by: world[groupadd]',
    ],
    ['AGENT_PACKAGE_LOCKED', 'ERROR: Unable to lock database: Resource temporarily unavailable'],
    ['AGENT_READ_ONLY_FILE_SYSTEM', 'ERROR: Unable to lock database: Read-only file system'],
    ['AGENT_PACKAGE_REPOSITORY', 'ERROR: /root/x.apk: UNTRUSTED signature'],
    [
      'AGENT_PACKAGE_REPOSITORY',
      'WARNING: fetching https://x/main: temporary error (try again later)',
    ],
    ['AGENT_PACKAGE_FAILED', 'ERROR: x-1.0-r0: failed to rename'],
  ],
};
const create: Readonly<Record<string, (platform: Platform) => PackageManager>> = {
  dnf: (platform) => new DnfManager(platform),
  zypper: (platform) => new ZypperManager(platform),
  pacman: (platform) => new PacmanManager(platform),
  apk: (platform) => new ApkManager(platform),
};

t.test('what a manager complains about decides between blocked and failed', async (t) => {
  for (const [name, complaints] of Object.entries(recorded))
    for (const [code, stderr] of complaints) {
      const { platform } = machine(t, { exitCode: 1, stderr });
      await t.rejects(create[name]!(platform).refresh(options), { code }, `${name}: ${stderr}`);
    }
});

t.test('apk that keeps a package which others need is no success', async (t) => {
  const stdout =
    'World updated, but the following packages are not removed due to:\n  busybox: alpine-base\n\nOK: 8 MiB in 15 packages\n';
  const { platform } = machine(t, { stdout });
  const request = { ...options, names: ['busybox'], purge: false };
  await t.rejects(new ApkManager(platform).remove(request), { code: 'AGENT_PACKAGE_FAILED' });
});

t.test('zypper is not asked while it would have to fetch lists first', async (t) => {
  const { root, platform } = machine(t, { exitCode: 1 });
  arrange(root, { '/etc/zypp/repos.d/a.repo': '[main]\nenabled=1\n' });
  t.same(await new ZypperManager(platform).candidates(['web']), new Map());
  t.same(await new ZypperManager(platform).upgradable(), new Map());
});

t.test('a node without lists of dnf offers nothing, other trouble is told', async (t) => {
  const empty = machine(t, {
    exitCode: 1,
    stderr: "Error: Cache-only enabled but no cache for 'x'",
  });
  t.same(await new DnfManager(empty.platform).candidates(['web']), new Map());
  const broken = machine(t, { exitCode: 1, stderr: 'Error: Could not run transaction.' });
  await t.rejects(new DnfManager(broken.platform).candidates(['web']), AgentError);
});

t.test('versions are ordered as rpm orders them', async (t) => {
  const ascending = [
    ['1.0~rc1', '1.0', '1.0^git1', '1.0.1', '1.1', '1.10', '2', '10', '1:0.1'],
    ['1.0-1', '1.0-2', '1.0-10.el9'],
    ['5.el8', '5.el9'],
    ['1.a', '1.1'],
    ['0099', '100'],
    ['9'.repeat(40), `1${'0'.repeat(40)}`],
  ];
  for (const versions of ascending)
    for (let at = 1; at < versions.length; at += 1) {
      t.ok(compareVersions(versions[at - 1]!, versions[at]!) < 0, versions.join(' < '));
      t.ok(compareVersions(versions[at]!, versions[at - 1]!) > 0, versions.join(' < '));
    }
  t.equal(compareVersions('1.0', '1.0-5'), 0, 'a release that is not told decides nothing');
  t.equal(compareVersions('0:1.0', '1.0'), 0);
  const version = fc.stringMatching(/^(\d:)?[0-9a-z.~^]{1,8}(-[0-9a-z.]{1,4})?$/);
  fc.assert(
    fc.property(version, version, (one, other) => {
      const order = compareVersions(one, other);
      return Math.sign(order) === -Math.sign(compareVersions(other, one)) + 0;
    }),
  );
  t.ok(compareVersions(comparable('1.0_rc1-r0'), comparable('1.0-r0')) < 0, 'apk');
  t.ok(compareVersions(comparable('1.0_p1-r0'), comparable('1.0-r9')) > 0, 'apk');
  t.ok(compareVersions(comparablePacman('1.0rc-1'), comparablePacman('1.0-1')) < 0, 'pacman');
});

t.test('a declared version may leave out epoch and release', async (t) => {
  for (const wanted of ['1:2.0-3.el9', '2.0-3.el9', '2.0'])
    t.ok(meansVersion('1:2.0-3.el9', wanted), wanted);
  for (const wanted of ['2', '2.0-3', '2:2.0', '3.el9', ''])
    t.notOk(meansVersion('1:2.0-3.el9', wanted));
});

t.test('what rpm prints is read', async (t) => {
  const text =
    'kernel\t0:6.1-1\tx86_64\t100\nkernel\t0:6.2-1\tx86_64\t200\nkernel\t0:6.0-1\tx86_64\t50\n' +
    'gpg-pubkey\t0:1-2\t(none)\t1\nbind\t32:9.16-1\ti686\t1\nnoise\n';
  const records = parseRpmList(text);
  t.same([...records.keys()], ['kernel', 'kernel:x86_64', 'bind', 'bind:i686']);
  t.equal(records.get('kernel')?.version, '6.2-1', 'the one installed last');
  t.equal(records.get('bind')?.version, '32:9.16-1');
});

t.test('locks of dnf 4, dnf 5 and yum are read', async (t) => {
  const dnf4 =
    '# Added lock on x\nlab-hello-0:1.0-1.*\nbind-utils-32:9.16-1.el9.*\n!evil-0:1-1.*\n';
  const yum = '0:bash-4.2-1.el7.*\n';
  const dnf5 =
    'version = "1.0"\n\n[[packages]]\nname = "vim"\n[[packages.conditions]]\nkey = "evr"\ncomparator = "="\nvalue = "9.0-1"\n';
  const locks = parseLocks([dnf4, yum, dnf5]);
  t.same(
    [...locks].map(([name, versions]) => [name, ...versions]),
    [
      ['lab-hello', '1.0-1'],
      ['bind-utils', '32:9.16-1.el9'],
      ['bash', '4.2-1.el7'],
      ['vim', '9.0-1'],
    ],
  );
});

t.test('what zypper prints is read', async (t) => {
  const search =
    '<solvable status="other-version" name="a&amp;b" kind="package" edition="1.9-1" arch="noarch" repository="lab"/>\n' +
    '<solvable status="installed" name="a&amp;b" kind="package" edition="1.10-1" arch="noarch" repository="lab"/>\n' +
    '<solvable name="p" kind="patch" edition="1" arch="noarch"/>';
  t.same([...parseSearch(search)], [['a&b', '1.10-1']]);
  const updates =
    '<update kind="package" name="lab-hello" edition="1.1-1" arch="noarch" edition-old="1.0-1"><summary>x</summary></update>';
  t.same([...parseUpdates(updates)], [['lab-hello', '1.1-1']]);
  const table =
    'S  | Repository | Name       | Version | Arch\n---+-----+----\ni  | lab | lab-needed | 1.0-1   | noarch\n';
  t.same(parseUnneeded(table), ['lab-needed']);
  const locks =
    'type: package\nmatch_type: glob\nsolvable_name: vim\n\ntype: patch\nsolvable_name: p\n\ntype: package\nrepo: x\nsolvable_name: y\n';
  t.same([...parseZypperLocks(locks)], ['vim']);
  t.same(parseAliases('[a]\nenabled=1\n[b]\nenabled = 0\n[c d]\nname=x\n'), ['a', 'c d']);
});

t.test('the files of pacman are read', async (t) => {
  t.same(parseLocalName('gtk-doc-tools-1:1.33-2'), { name: 'gtk-doc-tools', version: '1:1.33-2' });
  t.equal(parseLocalName('ALPM_DB_VERSION'), undefined);
  t.ok(isDependency('%NAME%\nx\n\n%REASON%\n1\n\n'));
  t.notOk(isDependency('%NAME%\nx\n\n'));
  t.same(
    [...parseSyncList('core a 1-1 [installed]\nextra a 2-1\nextra b 3-1\n')],
    [
      ['a', '1-1'],
      ['b', '3-1'],
    ],
  );
  t.same([...parsePacmanUpgrades('a 1-1 -> 2-1\nb 1-1 -> 2-1 [ignored]\n')], [['a', '2-1']]);
});

t.test('names come into IgnorePkg and go again, and nothing else changes', async (t) => {
  const text = '# x\n[options]\nIgnorePkg = linux  vim\n#IgnorePkg = no\n[core]\nIgnorePkg = odd\n';
  t.same([...parseIgnored(text)], ['linux', 'vim']);
  t.equal(withIgnored(text, ['vim']), text);
  t.match(withIgnored(text, ['web']), '# x\n[options]\nIgnorePkg = web\nIgnorePkg = linux');
  t.match(withoutIgnored(text, ['vim']), '[options]\nIgnorePkg = linux\n#');
  t.same([...parseIgnored(withIgnored('', ['web']))], ['web']);
  const name = fc.stringMatching(/^[a-z][a-z0-9+._-]{0,8}$/);
  const line = fc.constantFrom('[options]', '[core]', 'IgnorePkg = a b', 'Color', '', '# x');
  fc.assert(
    fc.property(fc.array(line), fc.array(name), (lines, names) => {
      const before = ['[options]', ...lines].join('\n');
      const present = parseIgnored(before);
      const added = [...new Set(names)].filter((one) => !present.has(one));
      return withoutIgnored(withIgnored(before, added), added) === before;
    }),
  );
});

t.test('the files of apk are read', async (t) => {
  const text =
    'C:Q1\nP:busybox\nV:1.36.1-r15\nA:x86_64\nF:bin\nR:sh\n\nP:broken\nV:1-r0\nA:x86_64\nf:s\n\nT:none\n\n';
  const records = parseApkDatabase(text);
  t.match(records.get('busybox'), { version: '1.36.1-r15', status: 'installed' });
  t.match(records.get('broken'), { status: 'broken' });
  const world = parseWorld('busybox\nnginx=1.24-r1\npy3>3.9\n!bad\nfoo@edge=1-r0\nbar~1\n');
  t.same(
    [...world],
    [
      ['busybox', undefined],
      ['nginx', '1.24-r1'],
      ['py3', undefined],
      ['foo', '1-r0'],
      ['bar', undefined],
    ],
  );
  const newer =
    'Installed:                                Available:\nbusybox-1.36.1-r15                      < 1.36.1-r16 \n';
  t.same([...parseNewer(newer)], [['busybox', '1.36.1-r16']]);
});
