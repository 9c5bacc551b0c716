import { AgentError } from '../../errors.ts';
import { detectPackageManager } from '../../platform/packages/detect.ts';
import type {
  PackageManager,
  PackageOperationOptions,
  PackageRecord,
} from '../../platform/packages/package-manager.ts';
import type { Platform } from '../../platform/platform.ts';
import { packageSchema } from '../../policy/resource-schemas/package.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { type PackageSpec, parsePackage } from './package-spec.ts';

export interface PackageState {
  readonly manager: PackageManager;
  /** By the name in the declaration; missing ones are left out. */
  readonly installed: ReadonlyMap<string, PackageRecord>;
  /** Newest versions by the lists on the node; only observed for `latest`. */
  readonly newest: ReadonlyMap<string, string>;
}

/** Longest `timeout` that a package resource may declare. */
const ceilingMs = 4 * 3_600_000;

/**
 * Packages of the system's package manager. Observing reads the package database and never
 * refreshes lists; `latest` means the newest version in the lists that the node has.
 */
export function createPackageType(
  detect: (platform: Platform) => Promise<PackageManager | undefined> = detectPackageManager,
): ResourceType<PackageSpec, PackageState> {
  const managers = new WeakMap<Platform, Promise<PackageManager | undefined>>();
  async function managerOf(platform: Platform): Promise<PackageManager> {
    const known = managers.get(platform) ?? detect(platform);
    managers.set(platform, known);
    const manager = await known;
    if (manager !== undefined) return manager;
    managers.delete(platform);
    throw new AgentError('AGENT_PACKAGE_MANAGER_MISSING');
  }
  return {
    name: 'package',
    parameters: packageSchema.parameters,
    confinable: false,
    timeoutMs: ceilingMs,
    parse: parsePackage,
    observe: async (spec, context) => observe(spec, await managerOf(context.platform)),
    compare,
    apply,
    targets: (spec) =>
      spec.names.map((value) => ({
        kind: 'package',
        value,
        effect: spec.state === 'absent' ? 'remove' : 'write',
      })),
  };
}

async function observe(spec: PackageSpec, manager: PackageManager): Promise<PackageState> {
  if (spec.all) return { manager, installed: new Map(), newest: await manager.upgradable() };
  const database = await manager.installed();
  const installed = new Map<string, PackageRecord>();
  for (const name of spec.names) {
    const record = database.get(name);
    if (record !== undefined) installed.set(name, record);
  }
  const asks = spec.state === 'latest';
  return { manager, installed, newest: asks ? await manager.candidates(spec.names) : new Map() };
}

function compare(spec: PackageSpec, state: PackageState): Drift {
  if (spec.all) return compareAll(state);
  if (spec.state === 'absent') return compareAbsent(spec, state);
  const drifts = spec.names
    .map((name) => driftOf(spec, name, state))
    .filter((drift) => drift !== undefined);
  if (drifts.length === 0) return { action: 'none', reason: 'installed as declared' };
  const missing = drifts.some((drift) => drift.missing);
  return {
    action: missing ? 'created' : 'updated',
    reason: drifts.map((drift) => drift.reason).join(', '),
    diff: drifts.map((drift) => drift.diff).join('\n'),
  };
}

interface PackageDrift {
  readonly missing: boolean;
  readonly reason: string;
  readonly diff: string;
}

function driftOf(spec: PackageSpec, name: string, state: PackageState): PackageDrift | undefined {
  const record = state.installed.get(name);
  const newest = state.newest.get(name);
  const wanted = spec.version ?? newest;
  if (record === undefined || record.status === 'configuration')
    return {
      missing: true,
      reason: `${name} is not installed`,
      diff: `${name}: (none) -> ${wanted ?? 'newest'}`,
    };
  if (record.status === 'broken')
    return {
      missing: false,
      reason: `the installation of ${name} was interrupted`,
      diff: `${name}: ${record.version} (broken) -> ${wanted ?? record.version}`,
    };
  if (wanted !== undefined && !state.manager.isVersion(record.version, wanted))
    return {
      missing: false,
      reason: `${name} is ${record.version}, not ${wanted}`,
      diff: `${name}: ${record.version} -> ${wanted}`,
    };
  if (spec.lockVersion && !record.held)
    return { missing: false, reason: `${name} is not held`, diff: `${name}: hold` };
  return undefined;
}

function compareAll(state: PackageState): Drift {
  if (state.newest.size === 0) return { action: 'none', reason: 'every package is the newest' };
  return {
    action: 'updated',
    reason: `${state.newest.size} packages can be upgraded`,
    diff: [...state.newest].map(([name, version]) => `${name}: -> ${version}`).join('\n'),
  };
}

function compareAbsent(spec: PackageSpec, state: PackageState): Drift {
  const present = removable(spec, state);
  if (present.length === 0) return { action: 'none', reason: 'not installed' };
  return {
    action: 'deleted',
    reason: present.map(({ name, record }) => `${name} is ${stateWord(record)}`).join(', '),
    diff: present.map(({ name, record }) => `${name}: ${record.version} -> (none)`).join('\n'),
  };
}

function stateWord(record: PackageRecord): string {
  return record.status === 'configuration' ? 'removed but not purged' : 'installed';
}

/** What must go: installed and broken ones, and left-over configuration when it is purged. */
function removable(spec: PackageSpec, state: PackageState) {
  return [...state.installed]
    .filter(([, record]) => record.status !== 'configuration' || spec.purge)
    .map(([name, record]) => ({ name, record }));
}

async function apply(
  spec: PackageSpec,
  state: PackageState,
  drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const options = { flags: spec.flags, timeoutMs: spec.timeoutMs, signal: context.signal };
  const { manager } = state;
  if (spec.updateCache && drift.action !== 'deleted') await manager.refresh(options);
  if (spec.all) await manager.upgradeAll(options);
  else if (spec.state === 'absent') {
    const names = removable(spec, state).map(({ name }) => name);
    await manager.remove({ ...options, names, purge: spec.purge });
  } else await installDrifted(spec, state, options);
  if (spec.postCleanup) await cleanUp(manager, options);
}

async function installDrifted(
  spec: PackageSpec,
  state: PackageState,
  options: PackageOperationOptions,
): Promise<void> {
  const { manager } = state;
  const drifted = spec.names.filter((name) => driftOf(spec, name, state) !== undefined);
  const wrong = drifted.filter((name) => isWrongVersion(spec, name, state));
  if (wrong.length > 0)
    await manager.install({
      ...options,
      // Fetching lists on the way may make the other ones old, so `latest` takes all of them along.
      packages: (spec.state === 'latest' ? spec.names : wrong).map((name) => ({
        name,
        version: spec.version,
      })),
      allowDowngrade: spec.allowDowngrade,
      changeHeld: spec.lockVersion,
      reinstall: wrong.some((name) => state.installed.get(name)?.status === 'broken'),
    });
  if (spec.lockVersion) await manager.hold(drifted, options);
}

function isWrongVersion(spec: PackageSpec, name: string, state: PackageState): boolean {
  return driftOf({ ...spec, lockVersion: false }, name, state) !== undefined;
}

/** What nothing needs any more may stay: the declared packages are right already. */
async function cleanUp(manager: PackageManager, options: PackageOperationOptions): Promise<void> {
  try {
    await manager.removeUnneeded(options);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
  }
}

export const packageType = createPackageType();
