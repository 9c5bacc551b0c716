import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import type { Host, Platform, RunRequest, RunResult } from '../../../agent/platform/platform.ts';
import { arrange } from '../../support/simulated-machine.ts';

export const meminfo = (available: number) =>
  `MemTotal:        1000000 kB
MemFree: ${available} kB
MemAvailable: ${available} kB
Buffers: 10 kB
Cached: 20 kB
HugePages_Total: 0
`;
const debian =
  'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n';
const cpuinfo = [0, 1]
  .map(
    (at) => `processor\t: ${at}
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R)
cpu MHz\t\t: 2599.${at}92
physical id\t: 0
core id\t\t: 0
flags\t\t: sse fpu hypervisor
`,
  )
  .join('\n');
const passwd = `root:x:0:0:root:/root:/bin/bash
systemd-network:x:998:998::/:/usr/sbin/nologin
anna:x:1000:1000:Anna:/home/anna:/bin/bash
robot:x:1001:1001::/home/robot:/usr/sbin/nologin
postgres:x:105:110::/var/lib/postgresql:/bin/bash
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
`;
const zeros = '00000000:00000000 00:00000000 00000000     0        0';
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A ${zeros} 501 1 0 100 0 0 10 0
   1: 0100007F:9C40 0100007F:0016 01 ${zeros} 502 1 0 100 0 0 10 0
   2: 0100007F:C350 00000000:0000 0A ${zeros} 503 1 0 100 0 0 10 0
`;
const tcp6 = `  sl  local_address                         remote_address                        st
   0: B80D0120000000000000000001000000:01BB ${'0'.repeat(32)}:0000 0A ${zeros} 504 1 0 100 0 0 10 0
`;
const udp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  50: 00000000:0044 00000000:0000 07 ${zeros} 505 2 0 0
`;

/** Enough of a machine for every trait to be there. */
export const machineFiles: Readonly<Record<string, string>> = {
  '/usr/lib/os-release': debian,
  '/proc/meminfo': meminfo(500_000),
  '/proc/cpuinfo': cpuinfo,
  '/proc/self/mounts':
    '/dev/vda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n/dev/vda1 /bind ext4 rw 0 0\n' +
    '/dev/vdb /srv/my\\040data xfs rw 0 0\nnas:/x /mnt nfs rw 0 0\n' +
    'overlay /var/lib/docker/overlay2/1/merged overlay rw 0 0\n',
  '/proc/filesystems': 'nodev\tsysfs\n\text4\n\txfs\nnodev\ttmpfs\n',
  '/proc/sys/kernel/osrelease': '6.1.0-1-amd64\n',
  '/proc/sys/kernel/version': '#1 SMP Debian 6.1.1-1\n',
  '/proc/sys/kernel/tainted': '4096\n',
  '/proc/sys/kernel/random/boot_id': 'b-1\n',
  '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz root=/dev/vda1 quiet\n',
  '/proc/modules': 'xfs 1 0 - Live 0x0\next4 2 1 jbd2, Live 0x0\n',
  '/proc/uptime': '3600.52 7000.11\n',
  '/proc/stat': 'cpu 1 2 3\nbtime 1700000000\n',
  '/proc/loadavg': '0.52 0.58 0.59 3/602 1234\n',
  '/proc/swaps':
    'Filename Type Size Used Priority\n/dev/vda2                               partition\t1000\t250\t-2\n',
  '/proc/1/environ': 'HOME=/\0TERM=linux\0',
  '/proc/1/cgroup': '0::/init.scope\n',
  '/proc/net/tcp': tcp,
  '/proc/net/tcp6': tcp6,
  '/proc/net/udp': udp,
  '/proc/77/comm': 'sshd\n',
  '/proc/88/comm': 'dockerd\n',
  '/etc/machine-id': 'abc\n',
  '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1 web1.example.org web1 # me\n',
  '/etc/passwd': passwd,
  '/etc/default/locale': 'LANG="de_DE.UTF-8"\nLANGUAGE=de\nLC_TIME=C\n',
  '/etc/selinux/config': '# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n',
  '/sys/fs/selinux/enforce': '0',
  '/etc/docker/daemon.json': '{"storage-driver": "overlay2"}',
  '/run/docker.pid': '88',
  '/run/containerd/io.containerd.runtime.v2.task/moby/c1/x': '',
  '/var/lib/docker/containers/c1/config.v2.json': '{}',
  '/var/lib/docker/containers/c2/config.v2.json': '{}',
  '/var/lib/dpkg/status':
    'Package: cron\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0\n\n' +
    'Package: docker.io\nStatus: install ok installed\nArchitecture: amd64\nVersion: 20.10\n\n' +
    'Package: old\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n',
  '/run/systemd/system/x': '',
  '/run/systemd/timesync/synchronized': '',
  '/run/systemd/sessions/1': 'UID=1000\nUSER=anna\nCLASS=user\nSTATE=active\n',
  '/run/systemd/sessions/2': 'UID=0\nUSER=root\nCLASS=user\nSTATE=closing\n',
  '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
  '/sys/class/dmi/id/product_name': 'm5.large\n',
  '/sys/class/dmi/id/product_serial': 'ec2-1\n',
  '/sys/class/dmi/id/board_asset_tag': 'i-0abc\n',
  '/sys/class/dmi/id/board_vendor': 'Amazon EC2\n',
  '/sys/class/dmi/id/board_name': '\n',
  '/sys/class/dmi/id/bios_vendor': 'Amazon EC2\n',
  '/sys/class/dmi/id/bios_version': '1.0\n',
  '/sys/class/dmi/id/bios_date': '10/16/2017\n',
  '/sys/class/dmi/id/chassis_type': '1\n',
  '/run/cloud-init/instance-data.json': JSON.stringify({
    v1: { cloud_name: 'aws', instance_id: 'i-0abc', region: 'eu-1', availability_zone: 'eu-1a' },
    ds: {
      meta_data: {
        'instance-type': 'm5.large',
        'public-ipv4': '192.0.2.7',
        'ami-id': 'ami-1',
        hostname: 'web1',
        tags: { role: 'web' },
      },
      dynamic: { 'instance-identity': { document: { accountId: '12' } } },
    },
  }),
  '/sys/block/vda/size': '2048\n',
  '/sys/block/vda/ro': '0\n',
  '/sys/block/vda/serial': 'S-1\n',
  '/sys/block/vda/device/vendor': '0x1af4\n',
  '/sys/block/vda/device/model': 'Disk\n',
  '/sys/block/vda/device/rev': '2.1\n',
  '/sys/block/loop0/size': '8\n',
  '/sys/bus/pci/devices/0000:01:00.0/class': '0x030000\n',
  '/sys/bus/pci/devices/0000:01:00.0/vendor': '0x1002\n',
  '/sys/bus/pci/devices/0000:01:00.0/device': '0x67df\n',
  '/sys/bus/pci/devices/0000:01:00.0/mem_info_vram_total': '4294967296\n',
  '/sys/bus/pci/devices/0000:00:01.0/class': '0x060000\n',
  '/usr/share/misc/pci.ids':
    '# list\n1002  Advanced Micro Devices\n\t1111  Other\n\t67df  Ellesmere\n\t\t1002 0b37  Card\n8086  Intel\n',
};

const links: Readonly<Record<string, string>> = {
  '/etc/localtime': '/usr/share/zoneinfo/Asia/Kolkata',
  '/proc/77/fd/3': 'socket:[501]',
  '/proc/77/fd/4': '/dev/null',
  '/sys/bus/pci/devices/0000:01:00.0/driver': '../../../bus/pci/drivers/amdgpu',
};

export const machineHost: Partial<Host> = {
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
  fileSystemSize: async (path) => ({
    totalBytes: path === '/' ? 10.04e9 : 1e12,
    freeBytes: 5e9,
    availableBytes: 4e9,
    inodes: 1000,
    freeInodes: 400,
  }),
};

/** What systemctl says where it is asked. */
const systemctl: Readonly<Record<string, string>> = {
  show: 'Version=252 (252.30-1~deb12u2)\nSystemState=degraded\n',
  'list-units':
    'ssh.service loaded active running OpenBSD\n● bad.service loaded failed failed Bad thing\n' +
    'x.mount not-found inactive dead x\n',
};

/** Real files below a directory that is taken for the machine; its own processes are never asked. */
export function traitMachine(t: Test, content = machineFiles, host = machineHost) {
  const root = mkdtempSync(join(tmpdir(), 'vigo-traits-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  arrange(root, content);
  if (content === machineFiles) {
    for (const [path, target] of Object.entries(links)) {
      mkdirSync(dirname(root + path), { recursive: true });
      symlinkSync(target, root + path);
    }
  }
  const node = createNodePlatform();
  const under = {
    status: (path: string) => node.files.status(root + path),
    read: (path: string, limit?: number) => node.files.read(root + path, limit),
    readLink: (path: string) => node.files.readLink(root + path),
    list: (path: string) => node.files.list(root + path),
  };
  const clock = { nowMs: 1_717_243_200_500, monotonicMs: 0 };
  const runs: string[] = [];
  const platform: Platform = {
    ...node,
    files: Object.assign(Object.create(node.files), under),
    host: Object.assign(Object.create(node.host), host),
    clock: {
      nowMs: () => clock.nowMs,
      monotonicMs: () => clock.monotonicMs,
      sleep: (delayMs, signal) => node.clock.sleep(delayMs, signal),
    },
    processes: {
      run: async ({ argv }: RunRequest): Promise<RunResult> => {
        runs.push(argv.join(' '));
        const stdout = systemctl[argv[1] ?? ''] ?? '';
        const ended = { signal: undefined, stderr: '', timedOut: false, truncated: false };
        return { exitCode: 0, stdout, ...ended };
      },
      signal: async () => false,
    },
  };
  return { root, platform, clock, runs };
}

const securityFiles: Readonly<Record<string, string>> = {
  'lynis-report.dat': 'lynis-report.dat.txt',
  'chkrootkit.log': 'chkrootkit.log.txt',
  'rkhunter.log': 'rkhunter.log.txt',
  'aide.log': 'aide.log.txt',
  'debsecan.txt': 'debsecan.txt',
  'trivy.json': 'trivy-documented.json',
  'clamav.log': 'clamav-documented.txt',
};

/** Output of the tools by the name under which the agent looks for it; see security/README.md. */
export function securityOutputs(): Record<string, string> {
  const from = new URL('./security/', import.meta.url).pathname;
  const entries = Object.entries(securityFiles);
  return Object.fromEntries(
    entries.map(([name, file]) => [
      `/var/lib/vigo/security/${name}`,
      readFileSync(join(from, file), 'utf8'),
    ]),
  );
}
