/** Without this a condition or a template would see something else than the machine. */
import { rmSync, symlinkSync } from 'node:fs';
import t from 'tap';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { collectTraits } from '../../../agent/traits/collect.ts';
import { pciNames } from '../../../agent/traits/gpu.ts';
import { diskMounts } from '../../../agent/traits/hardware.ts';
import { qualifiedName } from '../../../agent/traits/network.ts';
import { parseAssignments } from '../../../agent/traits/os.ts';
import { createPortsCollector } from '../../../agent/traits/ports.ts';
import { requires } from '../../support/requires.ts';
import { arrange } from '../../support/simulated-machine.ts';
import { selfSignedPem } from './certificate.ts';
import { machineFiles, traitMachine } from './trait-machine.ts';

t.test('a machine is described under the documented paths', async (t) => {
  const { root, platform, runs } = traitMachine(t);
  symlinkSync('../usr/lib/os-release', `${root}/etc/os-release`);
  const facts = { envoyUuid: 'u-1', agentVersion: '0.1.0' };
  const { traits, errors } = await collectTraits(platform, undefined, facts);
  t.same(errors, {});
  t.same(traits.os, {
    family: 'debian',
    distro: 'debian',
    version: '12',
    kernel: '6.1.0-1-amd64',
    arch: 'amd64',
    arch_raw: 'x86_64',
    upstream_id: 'debian',
    upstream_codename: 'bookworm',
  });
  t.same(traits.hardware, {
    cpu_count: 2,
    memory_mb: 976,
    disks: { '/': 9.4, '/srv/my data': 931.3 },
  });
  t.same(traits.network, {
    hostname: 'web1',
    fqdn: 'web1.example.org',
    ip_addresses: ['10.0.0.2', '2001:db8::2'],
    mac_addresses: ['02:00:00:00:00:01'],
  });
  t.same(traits.identity, {
    machine_id: 'abc',
    boot_id: 'b-1',
    envoy_uuid: 'u-1',
    agent_version: '0.1.0',
  });
  t.same(traits.memory, {
    total_bytes: 1_024_000_000,
    free_bytes: 512_000_000,
    available_bytes: 512_000_000,
    used_bytes: 512_000_000,
    buffers_bytes: 10_240,
    cached_bytes: 20_480,
    percent: 50,
  });
  t.same(runs.length, 2, 'only the service manager has to be asked');
});

t.test('hardware in detail', async (t) => {
  const { traits } = await collectTraits(traitMachine(t).platform);
  t.same(traits.processors, {
    count: 1,
    cores: 1,
    threads: 2,
    model: 'Intel(R) Xeon(R)',
    vendor: 'GenuineIntel',
    mhz: 2599,
    flags: ['fpu', 'hypervisor', 'sse'],
  });
  t.same(traits.dmi, {
    bios_vendor: 'Amazon EC2',
    bios_version: '1.0',
    bios_date: '10/16/2017',
    board_vendor: 'Amazon EC2',
    product_name: 'm5.large',
    product_serial: 'ec2-1',
    product_vendor: 'Amazon EC2',
    chassis_type: '1',
  });
  t.same(traits.blockdevices, {
    vda: {
      size_bytes: 1_048_576,
      vendor: '0x1af4',
      model: 'Disk',
      serial: 'S-1',
      firmware_rev: '2.1',
      readonly: false,
    },
  });
  t.same(traits.gpu, {
    devices: [
      {
        address: '0000:01:00.0',
        vendor: 'Advanced Micro Devices',
        model: 'Ellesmere',
        driver: 'amdgpu',
        memory_bytes: 4_294_967_296,
      },
    ],
  });
  t.same(traits.cloud, {
    provider: 'aws',
    instance_id: 'i-0abc',
    instance_type: 'm5.large',
    instance_name: 'web1',
    region: 'eu-1',
    zone: 'eu-1a',
    account_id: '12',
    public_ip: '192.0.2.7',
    image_id: 'ami-1',
    tags: { role: 'web' },
  });
});

t.test('the system and what runs on it', async (t) => {
  const { traits } = await collectTraits(traitMachine(t).platform);
  t.same(traits.time, {
    now: '2024-06-01T12:00:00Z',
    epoch: 1_717_243_200,
    timezone: 'Asia/Kolkata',
    utc_offset: '+05:30',
    ntp_synchronized: true,
  });
  t.same(traits.timezone, { name: 'Asia/Kolkata', offset: '+05:30', offset_minutes: 330 });
  t.same(traits.locale, { lang: 'de_DE.UTF-8', language: 'de', lc: { time: 'C' } });
  t.same(traits.uptime, { seconds: 3600, boot_time: 1_700_000_000 });
  t.same(traits.loadavg, { load1: 0.52, load5: 0.58, load15: 0.59, running: 3, total: 602 });
  t.match(traits.kernel, { modules: ['ext4', 'xfs'], tainted: 4096, command_line: /quiet$/ });
  t.same(traits.users, {
    logged_in: ['anna'],
    human: ['anna'],
    os: ['nobody', 'root', 'systemd-network'],
    thirdparty: ['postgres', 'robot'],
  });
  t.same(traits.systemd, {
    version: '252',
    state: 'degraded',
    failed_units: ['bad.service'],
    units: { active: 1, failed: 1, inactive: 1 },
  });
  t.same(traits.docker, {
    running: true,
    version: '20.10',
    storage_driver: 'overlay2',
    containers: 2,
    containers_running: 1,
  });
  t.same(traits.selinux, {
    enabled: true,
    mode: 'permissive',
    config_mode: 'enforcing',
    policy: 'targeted',
  });
});

t.test('storage and ports', async (t) => {
  const { traits } = await collectTraits(traitMachine(t).platform);
  const use = { used_bytes: 5.04e9, available_bytes: 4e9, percent: 56, size_bytes: 10.04e9 };
  t.same((traits.mountpoints as Record<string, unknown>)['/'], {
    device: '/dev/vda1',
    fstype: 'ext4',
    options: 'rw,relatime',
    ...use,
  });
  t.same(
    (traits.mountpoints as Record<string, unknown>)['/mnt'],
    { device: 'nas:/x', fstype: 'nfs', options: 'rw' },
    'a server that may be dead is not asked for sizes',
  );
  t.notOk(Object.keys(traits.mountpoints as object).some((path) => path.includes('docker')));
  t.match(traits.filesystem, {
    supported: ['ext4', 'xfs'],
    inodes: { '/': { total: 1000, used: 600, percent: 60 } },
  });
  t.same(traits.swap, {
    total_bytes: 1_024_000,
    used_bytes: 256_000,
    free_bytes: 768_000,
    percent: 25,
    devices: [
      {
        path: '/dev/vda2',
        type: 'partition',
        size_bytes: 1_024_000,
        used_bytes: 256_000,
        priority: -2,
      },
    ],
  });
  t.same(traits.ports, {
    listening: [
      { proto: 'tcp', address: '0.0.0.0', port: 22, pid: 77, process: 'sshd' },
      { proto: 'udp', address: '0.0.0.0', port: 68 },
      { proto: 'tcp6', address: '2001:db8::1', port: 443 },
      { proto: 'tcp', address: '127.0.0.1', port: 50_000 },
    ],
  });
});

t.test('what a machine runs on', async (t) => {
  const dmi = (vendor: string, product = '') => ({
    '/sys/class/dmi/id/sys_vendor': `${vendor}\n`,
    '/sys/class/dmi/id/product_name': `${product}\n`,
  });
  const sources = '/sys/devices/system/clocksource/clocksource0/available_clocksource';
  for (const [files, type, isVirtual, isContainer] of [
    [dmi('Dell Inc.', 'PowerEdge'), 'none', false, false],
    [dmi('VMware, Inc.', 'VMware Virtual Platform'), 'vmware', true, false],
    [dmi('Microsoft Corporation', 'Virtual Machine'), 'hyperv', true, false],
    [dmi('Microsoft Corporation', 'Surface'), 'none', false, false],
    [dmi('QEMU', 'Standard PC'), 'qemu', true, false],
    [{ ...dmi('QEMU'), [sources]: 'kvm-clock tsc\n' }, 'kvm', true, false],
    [{ '/proc/1/environ': 'A=1\0container=lxc\0' }, 'lxc', false, true],
    [{ '/run/systemd/container': 'systemd-nspawn\n' }, 'systemd-nspawn', false, true],
    [{ ...dmi('KVM'), '/.dockerenv': '' }, 'docker', true, true],
    [{ '/proc/1/cgroup': '1:cpu:/docker/abc\n' }, 'docker', false, true],
    [{ '/proc/sys/kernel/osrelease': '5.15-microsoft-standard-WSL2\n' }, 'wsl', false, true],
    [{ '/proc/cpuinfo': 'vendor_id\t: User Mode Linux\n' }, 'uml', true, false],
    [{ '/sys/hypervisor/type': 'xen\n' }, 'xen', true, false],
  ] as const) {
    const { platform } = traitMachine(t, files);
    const { traits } = await collectTraits(platform, ['virtual']);
    t.same(traits.virtual, { is_virtual: isVirtual, is_container: isContainer, type });
  }
});

t.test('clouds by what they write into the firmware', async (t) => {
  const id = '/sys/class/dmi/id';
  for (const [files, cloud] of [
    [{ [`${id}/product_name`]: 'Google Compute Engine\n' }, { provider: 'gcp' }],
    [{ [`${id}/chassis_asset_tag`]: '7783-7084-3265-9085-8269-3286-77\n' }, { provider: 'azure' }],
    [{ [`${id}/chassis_asset_tag`]: 'OracleCloud.com\n' }, { provider: 'oracle' }],
    [
      { [`${id}/sys_vendor`]: 'Hetzner\n', [`${id}/product_serial`]: '77\n' },
      { provider: 'hetzner', instance_id: '77' },
    ],
    [{ [`${id}/sys_vendor`]: 'Akamai\n' }, { provider: 'linode' }],
    [{ [`${id}/sys_vendor`]: 'Microsoft Corporation\n' }, { provider: 'none' }],
  ] as const) {
    const { traits } = await collectTraits(traitMachine(t, files).platform, ['cloud']);
    t.same(traits.cloud, cloud);
  }
});

t.test('certificates and when they end', async (t) => {
  const { root, platform, clock } = traitMachine(t, {
    '/etc/nginx/tls/site.crt': selfSignedPem,
    '/etc/nginx/tls/site.key.pem': 'no certificate',
    '/etc/nginx/big.pem': 'x'.repeat(70_000),
    '/etc/ssl/certs/authority.crt': selfSignedPem,
    '/etc/ssl/a/b/c/deep.pem': selfSignedPem,
  });
  symlinkSync('tls/site.crt', `${root}/etc/nginx/link.pem`);
  clock.nowMs = Date.parse('2030-01-01T12:00:00Z');
  const { traits, errors } = await collectTraits(platform, ['cert_expiry']);
  t.same(errors, {});
  const { certificates } = traits.cert_expiry as { certificates: { path: string }[] };
  t.same(
    certificates.map(({ path }) => path),
    ['/etc/nginx/link.pem', '/etc/nginx/tls/site.crt'],
  );
  t.match(certificates[1], {
    subject: 'CN=www.example.org, O=Example',
    issuer: 'CN=www.example.org, O=Example',
    not_after: '2030-01-11T00:00:00Z',
    days_left: 9,
  });
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
    const { platform } = traitMachine(t, { '/etc/os-release': release });
    t.match((await collectTraits(platform, ['os'])).traits.os, expected);
  }
});

t.test('the holder of a port is found anew when another process took over', async (t) => {
  const { root, platform } = traitMachine(t);
  const ports = createPortsCollector();
  const pidOf22 = async () => {
    const value = (await ports.collect({ platform, facts: {} })) as {
      listening: { port: number; pid?: number }[];
    };
    return value.listening.find(({ port }) => port === 22)?.pid;
  };
  t.equal(await pidOf22(), 77);
  rmSync(`${root}/proc/77/fd/3`);
  arrange(root, { '/proc/99/comm': 'other\n', '/proc/99/fd/none': '' });
  symlinkSync('socket:[501]', `${root}/proc/99/fd/5`);
  t.equal(await pidOf22(), 99);
});

t.test('a look at the ports is spared while no socket comes or goes', async (t) => {
  const count = (total: number) => ({ '/proc/net/sockstat': `TCP: inuse ${total} orphan 0\n` });
  const { root, platform } = traitMachine(t, { ...machineFiles, ...count(3) });
  const ports = createPortsCollector();
  const look = () => ports.collect({ platform, facts: {} });
  const first = await look();
  arrange(root, { '/proc/net/tcp': '' });
  for (let round = 0; round < 9; round += 1) t.equal(await look(), first, `${round}`);
  t.not(await look(), first, 'not for ever');
  arrange(root, { '/proc/net/udp': '', ...count(2) });
  t.match(await look(), { listening: [{ port: 443 }] }, 'another number is looked into at once');
});

t.test('the forms of the files', async (t) => {
  t.same(
    [...parseAssignments('# x\nA="b \\"c\\" \\$d"\nB=\'e\'\nbad\nC=')],
    [
      ['A', 'b "c" $d'],
      ['B', 'e'],
    ],
  );
  const mounts = diskMounts('overlay / overlay rw 0 0\noverlay /var/lib/x overlay rw 0 0\n');
  t.match(mounts, [{ path: '/' }]);
  t.equal(mounts.length, 1);
  t.equal(qualifiedName('a.b', ''), 'a.b');
  t.equal(qualifiedName('web', '10.0.0.1 website.org web.org'), 'web.org');
  const list = machineFiles['/usr/share/misc/pci.ids']!;
  t.same(pciNames(list, '8086', '1111'), { vendor: 'Intel', model: '1111' });
  t.same(pciNames(list, '9999', '1111'), { vendor: '9999', model: '1111' });
});

t.test('this very machine', { skip: requires('linux') }, async (t) => {
  const { traits, errors } = await collectTraits(createNodePlatform());
  t.same(errors, {});
  t.match(traits, { os: { kernel: /\d/ }, hardware: { cpu_count: /^[1-9]/ } });
});
