import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import { ApkManager } from './apk.ts';
import { AptManager } from './apt.ts';
import { DnfManager } from './dnf.ts';
import type { PackageManager } from './package-manager.ts';
import { PacmanManager } from './pacman.ts';
import { ZypperManager } from './zypper.ts';

interface Known {
  readonly program: string;
  /** Words of ID and ID_LIKE in os-release(5) of the systems that it is the manager of. */
  readonly systems: readonly string[];
  readonly create: (platform: Platform) => PackageManager;
}

const fedora = ['fedora', 'rhel', 'centos', 'amzn', 'ol', 'rocky', 'almalinux'];

/** In the order in which they are taken where the system is none of those named. */
const known: readonly Known[] = [
  {
    program: '/usr/bin/apt-get',
    systems: ['debian', 'ubuntu'],
    create: (platform) => new AptManager(platform),
  },
  {
    program: '/usr/bin/zypper',
    systems: ['suse', 'opensuse', 'sles'],
    create: (platform) => new ZypperManager(platform),
  },
  {
    program: '/usr/bin/dnf',
    systems: fedora,
    create: (platform) => new DnfManager(platform),
  },
  {
    program: '/usr/bin/yum',
    systems: fedora,
    create: (platform) => new DnfManager(platform, 'yum'),
  },
  {
    program: '/usr/bin/pacman',
    systems: ['arch', 'archlinux', 'manjaro'],
    create: (platform) => new PacmanManager(platform),
  },
  ...['/sbin/apk', '/usr/bin/apk'].map((program) => ({
    program,
    systems: ['alpine', 'postmarketos', 'chimera', 'wolfi'],
    create: (platform: Platform) => new ApkManager(platform, program),
  })),
];

/**
 * The package manager of this machine by its files; undefined when none is supported. Where there
 * are several, as with dnf installed on Debian, os-release(5) decides.
 */
export async function detectPackageManager(
  platform: Platform,
): Promise<PackageManager | undefined> {
  const present: Known[] = [];
  for (const one of known) if (await exists(platform, one.program)) present.push(one);
  if (present.length < 2) return present[0]?.create(platform);
  const systems = await systemNames(platform);
  const own = present.find((one) => one.systems.some((name) => systems.includes(name)));
  return (own ?? present[0]!).create(platform);
}

async function exists(platform: Platform, program: string): Promise<boolean> {
  const path = await platform.paths.resolve(program, { followLast: true });
  return (await platform.files.status(path))?.kind === 'file';
}

async function systemNames(platform: Platform): Promise<string[]> {
  const text =
    (await readText(platform, '/etc/os-release')) ??
    (await readText(platform, '/usr/lib/os-release')) ??
    '';
  return [...text.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(([, value]) =>
    value!.replace(/["']/g, '').trim().split(/\s+/),
  );
}
