import type { Platform } from '../platform/platform.ts';
import type { TraitCollector } from './collector.ts';
import { readDmi } from './dmi.ts';
import { readMachineFile, tryMachineLine } from './machine-file.ts';

const clockSources = '/sys/devices/system/clocksource/clocksource0/available_clocksource';

/** What vendors write into the firmware of their machines, after systemd's detect-virt. */
const vendors: readonly (readonly [RegExp, string])[] = [
  [/^VMware|^VMW/, 'vmware'],
  [/^innotek GmbH|^VirtualBox/, 'virtualbox'],
  [/^Xen/, 'xen'],
  [/^Bochs/, 'bochs'],
  [/^Parallels/, 'parallels'],
  [/^BHYVE/, 'bhyve'],
  [/^Microsoft Corporation Virtual Machine|Hyper-V/, 'hyperv'],
  [/^Apple Virtualization/, 'apple'],
  [/^(KVM|Amazon EC2|OpenStack|Google Compute Engine|DigitalOcean|Hetzner|Linode)/, 'kvm'],
  [/^QEMU/, 'qemu'],
];

/** virtual.is_virtual, is_container and type; a container on a virtual machine is both. */
export const virtualCollector: TraitCollector = {
  name: 'virtual',
  collect: async ({ platform }) => {
    const container = await containerType(platform);
    const machine = await machineType(platform);
    return {
      is_virtual: machine !== undefined,
      is_container: container !== undefined,
      type: container ?? machine ?? 'none',
    };
  },
};

async function containerType(platform: Platform): Promise<string | undefined> {
  const { files } = platform;
  const systemd = await tryMachineLine(platform, '/run/systemd/container');
  if (systemd !== undefined) return systemd;
  // The environment of process 1 has no line ends, but a zero byte after each variable.
  const environment = (await tryMachineLine(platform, '/proc/1/environ'))?.split('\0') ?? [];
  const variable = environment.find((one) => one.startsWith('container='))?.slice(10);
  if (variable !== undefined && variable !== '') return variable;
  if ((await files.status('/run/.containerenv')) !== undefined) return 'podman';
  if ((await files.status('/.dockerenv')) !== undefined) return 'docker';
  const vz = (await files.status('/proc/vz')) !== undefined;
  if (vz && (await files.status('/proc/bc')) === undefined) return 'openvz';
  const release = (await tryMachineLine(platform, '/proc/sys/kernel/osrelease')) ?? '';
  if (/microsoft/i.test(release)) return 'wsl';
  const groups = (await readMachineFile(platform, '/proc/1/cgroup')) ?? '';
  return /\/(docker|lxc|kubepods)[/.-]/.exec(groups)?.[1];
}

async function machineType(platform: Platform): Promise<string | undefined> {
  const names = ['sys_vendor', 'product_name', 'bios_vendor', 'board_vendor'];
  const texts = await Promise.all(names.map((name) => readDmi(platform, name)));
  const [vendor = '', product = '', ...more] = texts.map((text) => text ?? '');
  const lines = [vendor, product, `${vendor} ${product}`, ...more];
  const known = vendors.find(([pattern]) => lines.some((line) => pattern.test(line)))?.[1];
  // A clock of KVM tells QEMU with it from QEMU alone.
  const sources = (await tryMachineLine(platform, clockSources)) ?? '';
  if ((known === undefined || known === 'qemu') && /\bkvm-clock\b/.test(sources)) return 'kvm';
  if (known !== undefined) return known;
  if (/\bhyperv_clocksource/.test(sources)) return 'hyperv';
  const hypervisor = await tryMachineLine(platform, '/sys/hypervisor/type');
  if (hypervisor !== undefined) return hypervisor;
  const cpu = (await readMachineFile(platform, '/proc/cpuinfo')) ?? '';
  if (/^vendor_id\s*:\s*User Mode Linux/m.test(cpu)) return 'uml';
  return /^flags\s*:.*\bhypervisor\b/m.test(cpu) ? 'unknown' : undefined;
}
