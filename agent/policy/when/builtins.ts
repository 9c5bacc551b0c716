import type { PolicyValue } from '../../protocol/bundle.ts';
import type { WhenEnvironment } from './environment.ts';
import { compareVersions } from './versions.ts';

export type ArgumentKind =
  | 'text'
  | 'path'
  | 'hour'
  | 'minute'
  | 'weekday'
  | 'monthday'
  | 'version'
  | 'mebibytes';

export interface Builtin {
  /** Kinds of the arguments; the last `optional` of them may be left out. */
  readonly parameters: readonly ArgumentKind[];
  readonly optional?: number;
  /** 1 for memory, more for the disk, much more for a process: see whenCostLimit. */
  readonly cost: number;
  readonly description: string;
  evaluate(environment: WhenEnvironment, args: readonly string[]): boolean | Promise<boolean>;
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const enoughRamMebibytes = 1024;

/** Why `value` is no such argument, or undefined when it is one. */
export function argumentError(kind: ArgumentKind, value: string): string | undefined {
  const between = (low: number, high: number) =>
    /^\d{1,9}$/.test(value) && Number(value) >= low && Number(value) <= high
      ? undefined
      : `expected a number from ${low} to ${high}, got '${value}'`;
  switch (kind) {
    case 'text':
      return value === '' ? 'the argument is empty' : undefined;
    case 'path':
      return value.startsWith('/') ? undefined : `expected an absolute path, got '${value}'`;
    case 'hour':
      return between(0, 24);
    case 'minute':
      return between(0, 60);
    case 'monthday':
      return between(1, 31);
    case 'mebibytes':
      return between(1, 999_999_999);
    case 'version':
      return /^\d+([.\-_+~]?[0-9A-Za-z]+)*$/.test(value)
        ? undefined
        : `expected a version such as '12.4', got '${value}'`;
    case 'weekday':
      return weekdays.includes(value.toLowerCase())
        ? undefined
        : `expected a day such as 'monday', got '${value}'`;
  }
}

function asText(value: PolicyValue | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

function sameTrait(environment: WhenEnvironment, path: string, wanted: string): boolean {
  return asText(environment.trait(path)).toLowerCase() === wanted.toLowerCase();
}

/** The half-open range [from, to); one that ends before it starts goes over midnight. */
function inRange(value: number, from: string, to: string): boolean {
  const start = Number(from);
  const end = Number(to);
  return start <= end ? value >= start && value < end : value >= start || value < end;
}

function family(name: string): string {
  const lower = name.toLowerCase();
  return lower === 'redhat' ? 'rhel' : lower;
}

function architecture(name: string): string {
  const lower = name.toLowerCase();
  const aliases: Record<string, string> = {
    x86_64: 'amd64',
    x64: 'amd64',
    aarch64: 'arm64',
    i386: '386',
    i686: '386',
  };
  return (Object.hasOwn(aliases, lower) ? aliases[lower] : undefined) ?? lower;
}

async function isContainer(environment: WhenEnvironment): Promise<boolean> {
  const known = environment.trait('virtual.is_container');
  if (known !== undefined) return asText(known) === 'true';
  for (const marker of ['/.dockerenv', '/run/.containerenv', '/run/systemd/container']) {
    if (await environment.fileExists(marker)) return true;
  }
  return false;
}

function traitIs(environment: WhenEnvironment, path: string, wanted: string | undefined): boolean {
  const value = environment.trait(path);
  if (wanted === undefined) return value !== undefined && value !== null && value !== false;
  if (Array.isArray(value)) return value.some((item) => asText(item) === wanted);
  return value !== undefined && value !== null && asText(value) === wanted;
}

const table: Record<string, Builtin> = {
  file_exists: {
    parameters: ['path'],
    cost: 10,
    description: 'A regular file is at the path.',
    evaluate: (environment, [path]) => environment.fileExists(path!),
  },
  dir_exists: {
    parameters: ['path'],
    cost: 10,
    description: 'A directory is at the path.',
    evaluate: (environment, [path]) => environment.directoryExists(path!),
  },
  process_running: {
    parameters: ['text'],
    cost: 100,
    description: 'A process of that name runs.',
    evaluate: (environment, [name]) => environment.processRunning(name!),
  },
  command_succeeds: {
    parameters: ['text'],
    cost: 250,
    description: 'The shell command exits 0.',
    evaluate: (environment, [command]) => environment.commandSucceeds(command!),
  },
  hour_range: {
    parameters: ['hour', 'hour'],
    cost: 1,
    description: 'The local hour is in [start, end); start after end goes over midnight.',
    evaluate: (environment, [from, to]) => inRange(environment.localTime().hour, from!, to!),
  },
  minute_range: {
    parameters: ['minute', 'minute'],
    cost: 1,
    description: 'The local minute is in [start, end).',
    evaluate: (environment, [from, to]) => inRange(environment.localTime().minute, from!, to!),
  },
  day_of_week: {
    parameters: ['weekday'],
    cost: 1,
    description: "Today is that day, such as 'monday'.",
    evaluate: (environment, [day]) =>
      weekdays[environment.localTime().dayOfWeek] === day!.toLowerCase(),
  },
  day_of_month: {
    parameters: ['monthday'],
    cost: 1,
    description: 'Today is that day of the month, 1 to 31.',
    evaluate: (environment, [day]) => environment.localTime().dayOfMonth === Number(day),
  },
  os_family: {
    parameters: ['text'],
    cost: 1,
    description: 'The trait os.family is this; redhat and rhel are the same family.',
    evaluate: (environment, [name]) =>
      family(asText(environment.trait('os.family'))) === family(name!),
  },
  distro: {
    parameters: ['text'],
    cost: 1,
    description: 'The trait os.distro is this.',
    evaluate: (environment, [name]) => sameTrait(environment, 'os.distro', name!),
  },
  arch: {
    parameters: ['text'],
    cost: 1,
    description: "The processor is this, such as 'amd64' or 'arm64'.",
    evaluate: (environment, [name]) =>
      architecture(asText(environment.trait('os.arch'))) === architecture(name!),
  },
  version_ge: {
    parameters: ['version'],
    cost: 1,
    description: 'The trait os.version is this version or a later one.',
    evaluate: (environment, [wanted]) => {
      const version = asText(environment.trait('os.version'));
      return version !== '' && compareVersions(version, wanted!) >= 0;
    },
  },
  is_container: {
    parameters: [],
    cost: 30,
    description: 'The envoy runs in a container.',
    evaluate: (environment) => isContainer(environment),
  },
  is_virtual: {
    parameters: [],
    cost: 1,
    description: 'The envoy is a virtual machine.',
    evaluate: (environment) => asText(environment.trait('virtual.is_virtual')) === 'true',
  },
  has_enough_ram: {
    parameters: ['mebibytes'],
    optional: 1,
    cost: 1,
    description: 'The machine has at least this many MiB of memory (1024).',
    evaluate: (environment, [wanted]) =>
      Number(asText(environment.trait('hardware.memory_mb'))) >=
      Number(wanted ?? enoughRamMebibytes),
  },
  changed: {
    parameters: [],
    cost: 1,
    description: 'The resource was triggered by notify or subscribes.',
    evaluate: (environment) => environment.triggered,
  },
  trait: {
    parameters: ['text', 'text'],
    optional: 1,
    cost: 1,
    description: 'The trait at the path is this value, or has it in its list; alone: is known.',
    evaluate: (environment, [path, wanted]) => traitIs(environment, path!, wanted),
  },
};

export const whenBuiltins: ReadonlyMap<string, Builtin> = new Map(Object.entries(table));
