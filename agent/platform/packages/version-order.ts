import { AgentError } from '../../errors.ts';
import type { InstallRequest, PackageRecord } from './package-manager.ts';

/**
 * Order of two versions "[epoch:]version[-release]" as rpmvercmp(3) and vercmp(8) of pacman have it:
 * below 0 when `left` is older. A part that one side lacks (epoch 0 apart) decides nothing.
 */
export function compareVersions(left: string, right: string): number {
  const one = split(left);
  const other = split(right);
  if (one.epoch !== other.epoch) return one.epoch - other.epoch;
  const order = compareParts(one.version, other.version);
  if (order !== 0 || one.release === '' || other.release === '') return order;
  return compareParts(one.release, other.release);
}

/** True when `installed` is what a declaration means by `wanted`, which may lack epoch and release. */
export function meansVersion(installed: string, wanted: string): boolean {
  const without = installed.replace(/^\d+:/, '');
  const { version } = split(installed);
  return [installed, without, version].includes(wanted);
}

/**
 * For managers that would go down without being told to. `comparable` puts a version of the manager
 * into the order above.
 */
export function refuseDowngrade(
  { packages, allowDowngrade }: InstallRequest,
  installed: ReadonlyMap<string, PackageRecord>,
  comparable: (version: string) => string = (version) => version,
): void {
  if (allowDowngrade) return;
  for (const { name, version } of packages) {
    const present = installed.get(name)?.version;
    if (version === undefined || present === undefined) continue;
    if (compareVersions(comparable(present), comparable(version)) > 0)
      throw new AgentError(
        'AGENT_PACKAGE_FAILED',
        `${name} is ${present}, so ${version} is a downgrade, which allow_downgrade does not allow`,
      );
  }
}

function split(text: string) {
  const [, epoch = '0', version = '', release = ''] = /^(?:(\d+):)?(.*?)(?:-([^-]*))?$/s.exec(
    text,
  )!;
  return { epoch: Number(epoch), version, release };
}

/** Runs of digits or letters one by one; "~" is older than the end, "^" newer, digits beat letters. */
function compareParts(left: string, right: string): number {
  const ours = left.match(/\d+|[a-zA-Z]+|~|\^/g) ?? [];
  const theirs = right.match(/\d+|[a-zA-Z]+|~|\^/g) ?? [];
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) {
    const order = compareRuns(ours[at], theirs[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareRuns(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0;
  const kinds = rank(one) - rank(other);
  if (kinds !== 0) return kinds;
  if (rank(one) === rank('0')) {
    const [a, b] = [BigInt(one!), BigInt(other!)];
    return a === b ? 0 : a < b ? -1 : 1;
  }
  return one! < other! ? -1 : 1;
}

function rank(run: string | undefined): number {
  if (run === '~') return 0;
  if (run === undefined) return 1;
  if (run === '^') return 2;
  return /^\d/.test(run) ? 4 : 3;
}
