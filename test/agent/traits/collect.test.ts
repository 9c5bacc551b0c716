import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import type { Host, Platform } from '../../../agent/platform/platform.ts';
import { canonicalJson } from '../../../agent/protocol/canonical-json.ts';
import { collectTraits, createTraitCollection } from '../../../agent/traits/collect.ts';
import { parseMounts } from '../../../agent/traits/hardware.ts';
import { qualifiedName } from '../../../agent/traits/network.ts';
import { parseOsRelease } from '../../../agent/traits/os.ts';
import { requires } from '../../support/requires.ts';
import { arrange } from '../../support/simulated-machine.ts';

const meminfo = (available: number) =>
  `MemTotal:        1000000 kB
MemFree: ${available} kB
MemAvailable: ${available} kB
Buffers: 10 kB
Cached: 20 kB
HugePages_Total: 0
`;
const debian =
  'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
const files = {
  '/usr/lib/os-release': debian,
  '/proc/meminfo': meminfo(500_000),
  '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\n',
  '/proc/self/mounts':
    '/dev/vda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/vda1 /bind ext4 rw 0 0\n' +
    '/dev/vdb /srv/my\\040data xfs rw 0 0\nnas:/x /mnt nfs rw 0 0\n',
  '/proc/sys/kernel/osrelease': '6.1.0-1-amd64\n',
  '/proc/sys/kernel/random/boot_id': 'b-1\n',
  '/etc/machine-id': 'abc\n',
  '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1 web1.example.org web1 # me\n',
  '/var/lib/dpkg/status':
    'Package: cron\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0\n\n' +
    'Package: old\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n',
};

const host: Partial<Host> = {
  operatingSystem: 'linux',
  architecture: 'x64',
  hostname: () => 'web1',
  networkInterfaces: () => [
    {
      name: 'lo',
      loopback: true,
      macAddress: '00:00:00:00:00:00',
      addresses: ['127.0.0.1', '::1'],
    },
    {
      name: 'eth0',
      loopback: false,
      macAddress: '02:00:00:00:00:01',
      addresses: ['10.0.0.2', 'fe80::1', '2001:db8::2'],
    },
    { name: 'veth1', loopback: false, macAddress: '02:00:00:00:00:09', addresses: ['10.9.9.9'] },
  ],
  fileSystemSize: async (path) => ({ totalBytes: path === '/' ? 10.04e9 : 1e12, freeBytes: 0 }),
};

/** Real files below a directory that is taken for the machine. */
function machine(t: Test, content: Readonly<Record<string, string>> = files) {
  const root = mkdtempSync(join(tmpdir(), 'vigo-traits-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  arrange(root, content);
  const node = createNodePlatform();
  const under = {
    status: (path: string) => node.files.status(root + path),
    read: (path: string) => node.files.read(root + path),
    readLink: (path: string) => node.files.readLink(root + path),
  };
  const platform = {
    ...node,
    files: Object.assign(Object.create(node.files), under),
    host: Object.assign(Object.create(node.host), host),
  } as Platform;
  return { root, platform };
}

t.test('a machine is described under the documented paths', async (t) => {
  const { root, platform } = machine(t);
  symlinkSync('../usr/lib/os-release', `${root}/etc/os-release`);
  const facts = { envoyUuid: 'u-1', agentVersion: '0.1.0' };
  const { traits, errors } = await collectTraits(platform, undefined, facts);
  t.same(errors, {});
  t.same(traits, {
    os: {
      family: 'debian',
      distro: 'debian',
      version: '12',
      kernel: '6.1.0-1-amd64',
      arch: 'amd64',
      arch_raw: 'x86_64',
      upstream_id: 'debian',
      upstream_codename: 'bookworm',
    },
    hardware: { cpu_count: 2, memory_mb: 976, disks: { '/': 9.4, '/srv/my data': 931.3 } },
    network: {
      hostname: 'web1',
      fqdn: 'web1.example.org',
      ip_addresses: ['10.0.0.2', '2001:db8::2'],
      mac_addresses: ['02:00:00:00:00:01'],
    },
    identity: { machine_id: 'abc', boot_id: 'b-1', envoy_uuid: 'u-1', agent_version: '0.1.0' },
    memory: {
      total_bytes: 1_024_000_000,
      free_bytes: 512_000_000,
      available_bytes: 512_000_000,
      used_bytes: 512_000_000,
      buffers_bytes: 10_240,
      cached_bytes: 20_480,
      percent: 50,
    },
    packages: { cron: '3.0' },
  });
});

t.test(
  'the document, and so its hash, stays the same while memory use moves a little',
  async (t) => {
    const { root, platform } = machine(t);
    const collection = createTraitCollection(platform);
    const document = async () => canonicalJson((await collection.collect()).traits);
    const first = await document();
    for (const available of [490_000, 420_000, 590_000]) {
      arrange(root, { '/proc/meminfo': meminfo(available) });
      t.equal(await document(), first, `${available}`);
    }
    arrange(root, { '/proc/meminfo': meminfo(390_000) });
    const moved = await document();
    t.not(moved, first, 'a tenth of the memory is worth telling');
    t.match(moved, '"percent":61');
  },
);

t.test('an installed package shows at the next collection', async (t) => {
  const { root, platform } = machine(t);
  const collection = createTraitCollection(platform);
  await collection.collect(['packages']);
  const more = 'Package: web\nStatus: install ok installed\nArchitecture: all\nVersion: 2\n\n';
  arrange(root, { '/var/lib/dpkg/status': files['/var/lib/dpkg/status'] + more });
  const { traits } = await collection.collect(['packages']);
  t.same(traits, { packages: { cron: '3.0', web: '2' } });
});

t.test('a collector that fails or hangs costs only its own trait', async (t) => {
  const { platform } = machine(t);
  const collection = createTraitCollection(platform, {
    timeoutMs: 20,
    collectors: [
      { name: 'good', collect: async () => 1 },
      { name: 'none', collect: async () => undefined },
      { name: 'bad', collect: () => Promise.reject(new Error('no such thing')) },
      { name: 'slow', collect: () => new Promise(() => undefined) },
    ],
  });
  const { traits, errors } = await collection.collect();
  t.same(traits, { good: 1 });
  t.match(errors, { bad: 'no such thing', slow: /in time/ });
});

t.test('a machine without any of the files is still described', async (t) => {
  const { platform } = machine(t, {});
  const { traits, errors } = await collectTraits(platform);
  t.same(errors, {});
  t.match(traits, { os: { family: 'linux', arch: 'amd64' }, network: { fqdn: 'web1' } });
  t.notOk('packages' in traits || 'memory' in traits || 'hardware' in traits);
});

t.test('derivatives name what they are built from', async (t) => {
  const mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID=22\nUBUNTU_CODENAME=noble\n';
  const lmde = 'ID=linuxmint\nID_LIKE=debian\nVERSION_ID=6\nDEBIAN_CODENAME=bookworm\n';
  const rocky = 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n';
  for (const [release, expected] of [
    [mint, { family: 'debian', upstream_id: 'ubuntu', upstream_codename: 'noble' }],
    [lmde, { family: 'debian', upstream_id: 'debian', upstream_codename: 'bookworm' }],
    [rocky, { family: 'rhel', upstream_id: 'rhel', version: '9.4' }],
    ['ID=solaris-like\n', { family: 'solaris-like', upstream_id: 'solaris-like' }],
  ] as const) {
    const { platform } = machine(t, { '/etc/os-release': release });
    t.match((await collectTraits(platform, ['os'])).traits.os, expected);
  }
});

t.test('the forms of the files', async (t) => {
  t.same(
    [...parseOsRelease('# x\nA="b \\"c\\" \\$d"\nB=\'e\'\nbad\nC=')],
    [
      ['A', 'b "c" $d'],
      ['B', 'e'],
    ],
  );
  t.same(parseMounts('overlay / overlay rw 0 0\noverlay /var/lib/x overlay rw 0 0\n'), ['/']);
  t.equal(qualifiedName('a.b', ''), 'a.b');
  t.equal(qualifiedName('web', '10.0.0.1 website.org web.org'), 'web.org');
});

t.test('this very machine', { skip: requires('linux') }, async (t) => {
  const { traits, errors } = await collectTraits(createNodePlatform());
  t.same(errors, {});
  t.match(traits, { os: { kernel: /\d/ }, hardware: { cpu_count: /^[1-9]/ } });
});
