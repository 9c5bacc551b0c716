import type { Test } from 'tap';
import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type { KernelHost } from './kernel-host.ts';
import { type Expected, round, settled } from './kernel-rounds.ts';
import { agentIsGone, converge, convergeOne, type LabResource } from './resources.ts';

type Parameters = Readonly<Record<string, PolicyValue>>;

const of = (name: string, type: string, parameters: Parameters): LabResource => ({
  name,
  type,
  parameters,
});
const absent = { state: 'absent' } as const;
const dataOf = (options: string) => ({
  path: '/srv/data',
  device: '/dev/ubdb',
  fstype: 'ext4',
  options,
  pass: 2,
});

const declared: readonly LabResource[] = [
  of('interfaces', 'kernel_module', { module: 'dummy', params: 'numdummies=2' }),
  of('loop', 'kernel_module', { module: 'loop', persist: false }),
  of('pids', 'sysctl', { key: 'kernel.pid_max', value: 65_000 }),
  of('swappiness', 'sysctl', { key: 'vm.swappiness', value: '7' }),
  of('files', 'sysctl', { key: 'fs.file-max', value: 77_777 }),
  of('swap file', 'swap', { path: '/swapfile', size: '4M', priority: 5 }),
  of('swap disk', 'swap', { path: '/dev/ubdc', priority: 9 }),
  of('data', 'mount', dataOf('noatime,nodev')),
  of('scratch', 'mount', {
    path: '/srv/scratch',
    device: 'tmpfs',
    fstype: 'tmpfs',
    options: 'size=8m,noexec',
  }),
  of('name', 'hostname', { hostname: 'iron' }),
  of('zone', 'timezone', { timezone: 'Asia/Tokyo' }),
];
const names = declared.map(({ name = '' }) => name);
const all = (action: Expected[string]): Expected =>
  Object.fromEntries(names.map((name) => [name, action]));

/** What the kernel itself says. */
const stateCommand = [
  'sh',
  '-c',
  `ls -d /sys/class/net/dummy*; ls -d /sys/module/loop; sysctl kernel.pid_max vm.swappiness fs.file-max
  tail -n +2 /proc/swaps | tr -s ' \\t' ' ' | sort; grep ' /srv/' /proc/mounts | sort; hostname; date +%Z`,
];
const wantedState = `/sys/class/net/dummy0
/sys/class/net/dummy1
/sys/module/loop
kernel.pid_max = 65000
vm.swappiness = 7
fs.file-max = 77777
/dev/ubdc partition 65532 0 9
/swapfile file 4092 0 5
/dev/ubdb /srv/data ext4 rw,nodev,noatime 0 0
tmpfs /srv/scratch tmpfs rw,noexec,relatime,size=8192k,inode64 0 0
iron
JST
`;

const says = async (host: KernelHost) =>
  (await host.run(stateCommand)).stdout.replace(',inode64', '').replaceAll(',seclabel', '');
const wanted = wantedState.replace(',inode64', '');

/** From nothing to declared, drifts of every kind, and what the kernel says of it. */
export async function typesConverge(t: Test, host: KernelHost): Promise<void> {
  await host.must([
    'sh',
    '-ec',
    'mkfs.ext4 -q /dev/ubdb; mkswap /dev/ubdc >/dev/null; modprobe -r loop',
  ]);
  const gone = ['pids', 'swappiness', 'files', 'name', 'zone', 'swap disk'];
  const first = { ...all('created'), ...Object.fromEntries(gone.map((one) => [one, 'updated'])) };
  await round(t, host, declared, first as Expected);
  t.equal(await says(host), wanted);

  await host.must([
    'sh',
    '-ec',
    `modprobe -r dummy; modprobe -r loop; sysctl -qw kernel.pid_max=40000 vm.swappiness=60
    rm /etc/sysctl.d/*file-max*; swapoff -a; swapon -p 1 /swapfile; sed -i '/ubdc/d' /etc/fstab
    mount -o remount,atime,dev /srv/data; umount /srv/scratch; hostname lead
    ln -sf /usr/share/zoneinfo/UTC /etc/localtime`,
  ]);
  await round(t, host, declared, {
    ...all('updated'),
    ...{ loop: 'created', files: 'created' },
  });
  t.equal(await says(host), wanted);

  const changed = declared.map((one) => {
    if (one.name === 'data') return { ...one, parameters: dataOf('ro') };
    if (one.name !== 'swap file') return one;
    return { ...one, parameters: { path: '/swapfile', size: '8M', priority: 6 } };
  });
  await host.must(['sh', '-ec', 'rm /etc/modprobe.d/vigo-dummy.conf; umount /srv/data']);
  await round(t, host, changed, {
    ...{ interfaces: 'updated', data: 'updated', 'swap file': 'updated' },
  });
  t.match(await says(host), /\/swapfile file 8188 0 6\n\/dev\/ubdb \/srv\/data ext4 ro,/);
  await converge(host, declared);
}

/** What does not work says why, and what it is, and hurts nothing. */
export async function typesRefuse(t: Test, host: KernelHost): Promise<void> {
  const refused = async (type: string, parameters: Parameters, errorCode: string) => {
    const outcome = await convergeOne(host, type, parameters);
    t.match(outcome, { errorCode }, `${type} ${JSON.stringify(parameters)}: ${outcome.reason}`);
  };
  await refused('kernel_module', { module: 'no_such_module' }, 'AGENT_MODULE_UNKNOWN');
  await refused('kernel_module', { module: 'ext4', ...absent }, 'AGENT_MODULE_BUILT_IN');
  await refused('sysctl', { key: 'kernel.pid_max', value: 3 }, 'AGENT_SYSCTL_REFUSED');
  await refused('swap', { path: '/dev/ubda' }, 'AGENT_SWAP_FAILED');
  const broken = { path: '/srv/broken', device: '/dev/ubdc', fstype: 'ext4' };
  await refused('mount', broken, 'AGENT_MOUNT_FAILED');
  await host.must(['sh', '-ec', 'losetup /dev/loop0 /etc/fstab']);
  await refused('kernel_module', { module: 'loop', ...absent }, 'AGENT_MODULE_IN_USE');
  await host.must(['losetup', '-d', '/dev/loop0']);
}

/** The resource itself reboots the machine, and everything declared is there again by itself. */
export async function rebootKeepsState(t: Test, host: KernelHost): Promise<void> {
  const due = { reboot_required_file: '/run/reboot-required', message: 'a new kernel' };
  const reboot = () => convergeOne(host, 'reboot', due);
  const boot = () => host.must(['cat', '/proc/sys/kernel/random/boot_id']);
  const before = await boot();
  t.equal((await reboot()).action, 'none', 'nothing asks for a reboot');
  await host.must(['touch', '/run/reboot-required']);
  t.equal((await reboot()).action, 'updated');
  t.equal((await reboot()).action, 'none', 'it is announced once');
  // It is a minute ahead; the host's own clock is what it goes by.
  await host.rebooted(() => host.run(['date', '-s', '+70 seconds']));
  agentIsGone(host);
  t.not(await boot(), before);
  const kept = declared.filter(({ name }) => name !== 'loop');
  await settled(t, host, kept);
  t.equal((await reboot()).action, 'none', 'and it does not reboot for ever');
  await converge(host, declared);
  t.equal(await says(host), wanted);
}

/** Everything taken back, and what a second look finds. */
export async function typesAreRemoved(t: Test, host: KernelHost): Promise<void> {
  const keys = ['kernel.pid_max', 'vm.swappiness', 'fs.file-max'];
  await round(
    t,
    host,
    [
      of('interfaces', 'kernel_module', { module: 'dummy', ...absent }),
      of('loop', 'kernel_module', { module: 'loop', ...absent }),
      ...keys.map((key) => of(key, 'sysctl', { key, ...absent })),
      of('swap file', 'swap', { path: '/swapfile', ...absent }),
      of('swap disk', 'swap', { path: '/dev/ubdc', ...absent }),
      of('data', 'mount', { path: '/srv/data', ...absent }),
      of('scratch', 'mount', { path: '/srv/scratch', ...absent }),
    ],
    {
      ...Object.fromEntries([...names, ...keys].map((name) => [name, 'deleted'])),
      loop: 'updated',
    } as Expected,
  );
  const left = `lsmod | grep -E '^(dummy|loop) '; tail -n +2 /proc/swaps; grep /srv/ /proc/mounts
  ls /etc/modules-load.d /etc/modprobe.d /etc/sysctl.d | grep vigo; ls /swapfile`;
  t.equal((await host.run(['sh', '-c', left])).stdout, '');
  t.match(await host.must(['cat', '/etc/fstab']), /^\/dev\/ubda \/ ext4 defaults 0 1\n$/);
}
