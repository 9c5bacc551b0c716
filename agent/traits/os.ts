import type { TraitCollector, TraitSource } from './collector.ts';
import { readMachineFile, readMachineLine } from './machine-file.ts';

/** Family by the ID or ID_LIKE of os-release(5); the first match of the own ID, then of its likes. */
const families: Readonly<Record<string, string>> = {
  debian: 'debian',
  ubuntu: 'debian',
  rhel: 'rhel',
  fedora: 'rhel',
  centos: 'rhel',
  rocky: 'rhel',
  almalinux: 'rhel',
  ol: 'rhel',
  amzn: 'rhel',
  suse: 'suse',
  opensuse: 'suse',
  sles: 'suse',
  'opensuse-leap': 'suse',
  'opensuse-tumbleweed': 'suse',
  arch: 'arch',
  gentoo: 'gentoo',
  slackware: 'slackware',
  alpine: 'alpine',
};

/** Node's architecture -> the names that packages use, and those that the kernel uses. */
const architectures: Readonly<Record<string, readonly [string, string]>> = {
  x64: ['amd64', 'x86_64'],
  arm64: ['arm64', 'aarch64'],
  ia32: ['386', 'i686'],
  arm: ['arm', 'armv7l'],
};

/** Operating system: os.family, distro, version, kernel, arch, arch_raw, upstream_id, upstream_codename. */
export const osCollector: TraitCollector = {
  name: 'os',
  collect: async ({ platform }: TraitSource) => {
    const text =
      (await readMachineFile(platform, '/etc/os-release')) ??
      (await readMachineFile(platform, '/usr/lib/os-release')) ??
      '';
    const release = parseAssignments(text);
    const system = platform.host.operatingSystem;
    const distro = release.get('ID') ?? system;
    const likes = (release.get('ID_LIKE') ?? '').split(/\s+/).filter((like) => like !== '');
    const family = [distro, ...likes].map((id) => families[id]).find((one) => one !== undefined);
    const [arch, raw] = architectures[platform.host.architecture] ?? [
      platform.host.architecture,
      platform.host.architecture,
    ];
    return {
      family: family ?? distro,
      distro,
      version: release.get('VERSION_ID') ?? '',
      kernel: (await readMachineLine(platform, '/proc/sys/kernel/osrelease')) ?? '',
      arch,
      arch_raw: (await readMachineLine(platform, '/proc/sys/kernel/arch')) ?? raw,
      ...upstreamOf(distro, likes, release),
    };
  },
};

/** What a derivative is built from: Mint 22 -> ubuntu noble, LMDE 6 -> debian bookworm, Rocky 9 -> rhel. */
function upstreamOf(
  distro: string,
  likes: readonly string[],
  release: ReadonlyMap<string, string>,
) {
  const ubuntu = release.get('UBUNTU_CODENAME');
  if (ubuntu !== undefined) return { upstream_id: 'ubuntu', upstream_codename: ubuntu };
  const debian = release.get('DEBIAN_CODENAME');
  if (debian !== undefined) return { upstream_id: 'debian', upstream_codename: debian };
  const own = distro === 'fedora' || likes.length === 0;
  const id = own ? distro : (likes.find((like) => like === 'rhel') ?? likes[0]!);
  return { upstream_id: id, upstream_codename: release.get('VERSION_CODENAME') ?? '' };
}

/** os-release(5), locale.conf(5): shell-like assignments, without expansion. */
export function parseAssignments(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match === null) continue;
    const raw = match[2]!;
    const quoted = /^(["'])(.*)\1$/.exec(raw);
    const value = quoted === null ? raw : quoted[2]!.replace(/\\(["'$`\\])/g, '$1');
    if (value !== '') values.set(match[1]!, value);
  }
  return values;
}
