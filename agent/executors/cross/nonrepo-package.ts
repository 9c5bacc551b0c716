import { AgentError } from '../../errors.ts';
import { sha256Hex } from '../../platform/archive/archive.ts';
import { type Download, download } from '../../platform/download.ts';
import { detectPackageManager } from '../../platform/packages/detect.ts';
import type { PackageManager, PackageRecord } from '../../platform/packages/package-manager.ts';
import { compareVersions } from '../../platform/packages/version-order.ts';
import type { Platform } from '../../platform/platform.ts';
import {
  nonrepoPackageSchema,
  packageFileName,
} from '../../policy/resource-schemas/nonrepo-package.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { mustRun } from '../unix/tool.ts';
import { makeDirectories } from './places.ts';

export interface NonrepoPackageSpec {
  readonly name: string;
  readonly url: string;
  readonly absent: boolean;
  readonly version: string | undefined;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string | undefined;
  readonly lockVersion: boolean;
  readonly allowDowngrade: boolean;
}

export interface NonrepoPackageState {
  readonly manager: PackageManager;
  readonly form: PackageForm;
  readonly record: PackageRecord | undefined;
  /** Real path of the file while it is installed; still there after an interruption. */
  readonly file: string;
  readonly interrupted: boolean;
}

interface PackageForm {
  readonly ending: 'deb' | 'rpm';
  /** First bytes of such a file. */
  readonly magic: readonly number[];
  /** Prints name and version, separated by a tab. */
  readonly describe: (path: string) => readonly [string, ...string[]];
  readonly flags: readonly string[];
}

const deb: PackageForm = {
  ending: 'deb',
  magic: [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e, 0x0a],
  describe: (path) => ['dpkg-deb', '--show', `--showformat=\${Package}\\t\${Version}`, path],
  flags: [],
};
const rpm: PackageForm = {
  ending: 'rpm',
  magic: [0xed, 0xab, 0xee, 0xdb],
  describe: (path) => [
    'rpm',
    '--query',
    '--nosignature',
    '--queryformat=%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}',
    '--package',
    path,
  ],
  flags: [],
};
const forms: Readonly<Record<string, PackageForm>> = {
  apt: deb,
  dnf: rpm,
  yum: rpm,
  zypper: { ...rpm, flags: ['--allow-unsigned-rpm'] },
};

const workDirectory = '/var/cache/vigo-packages';
const fileBytesLimit = 512 * 1024 * 1024;
const downloadTimeoutMs = 900_000;
const changeTimeoutMs = 900_000;

/**
 * A package that no repository has. Installed by the system's package manager, so that what it
 * depends on comes along. `fetchFile`: only called when something has to be installed.
 */
export function createNonrepoPackageType(
  fetchFile: Download = download,
): ResourceType<NonrepoPackageSpec, NonrepoPackageState> {
  const managers = new WeakMap<Platform, Promise<PackageManager | undefined>>();
  async function managerOf(platform: Platform): Promise<PackageManager> {
    const known = managers.get(platform) ?? detectPackageManager(platform);
    managers.set(platform, known);
    const manager = await known;
    if (manager !== undefined && forms[manager.name] !== undefined) return manager;
    managers.delete(platform);
    throw new AgentError('AGENT_PACKAGE_MANAGER_MISSING', 'for files of packages');
  }
  return {
    name: 'nonrepo_package',
    parameters: nonrepoPackageSchema.parameters,
    confinable: false,
    timeoutMs: downloadTimeoutMs + changeTimeoutMs,
    parse,
    observe: async (spec, { platform }) => observe(spec, await managerOf(platform), platform),
    compare,
    apply: (spec, state, drift, context) => apply(spec, state, drift, context, fetchFile),
    targets: ({ name, absent }) => [
      { kind: 'package', value: name, effect: absent ? 'remove' : 'write' },
    ],
  };
}

function parse(values: Readonly<Record<string, PolicyValue>>): NonrepoPackageSpec {
  const reader = new ParameterReader(nonrepoPackageSchema.parameters, values);
  const absent = reader.absent();
  const url = reader.text('url') ?? '';
  const told = packageFileName(url);
  const name = reader.text('package') ?? told?.name ?? '';
  if (!absent && url === '') reader.problem('url', 'is required for state present');
  if (name === '') reader.problem('package', 'is required: the name of the file does not tell it');
  const spec: NonrepoPackageSpec = {
    name,
    url,
    absent,
    version: reader.text('version') ?? told?.version,
    sha256: reader.text('sha256')?.toLowerCase(),
    lockVersion: reader.boolean('lock_version') ?? false,
    allowDowngrade: reader.boolean('allow_downgrade') ?? false,
  };
  reader.finish();
  return spec;
}

async function observe(
  { name }: NonrepoPackageSpec,
  manager: PackageManager,
  { files, paths }: Platform,
): Promise<NonrepoPackageState> {
  const form = forms[manager.name]!;
  const file = await paths.resolve(`${workDirectory}/${name}.${form.ending}`);
  return {
    manager,
    form,
    record: (await manager.installed()).get(name),
    file,
    interrupted: (await files.status(file)) !== undefined,
  };
}

function compare(spec: NonrepoPackageSpec, state: NonrepoPackageState): Drift {
  const { name, version } = spec;
  const { record, interrupted } = state;
  const installed = record?.status === 'configuration' ? undefined : record;
  if (spec.absent) {
    if (installed === undefined && !interrupted)
      return { action: 'none', reason: 'absent as declared' };
    return {
      action: 'deleted',
      reason: installed === undefined ? `a file of ${name} is left` : `${name} is installed`,
      diff: `${name}: ${installed?.version ?? '(none)'} -> (none)`,
    };
  }
  const reason = installReason(spec, state);
  if (reason !== undefined)
    return {
      action: installed === undefined ? 'created' : 'updated',
      reason,
      diff: `${name}: ${installed?.version ?? '(none)'} -> ${version ?? 'the file'}`,
    };
  if (spec.lockVersion && installed?.held === false)
    return { action: 'updated', reason: `${name} is not held`, diff: `${name}: hold` };
  if (interrupted) return { action: 'updated', reason: `a file of ${name} is left` };
  return { action: 'none', reason: `${name} is ${installed?.version}` };
}

/** Why the file has to be installed; undefined when it has not. */
function installReason(
  { name, version }: NonrepoPackageSpec,
  { record, manager }: NonrepoPackageState,
): string | undefined {
  if (record === undefined || record.status === 'configuration') return `${name} is not installed`;
  if (record.status === 'broken') return `the installation of ${name} was interrupted`;
  if (version === undefined || isVersion(record.version, version, manager)) return undefined;
  return `${name} is ${record.version}, not ${version}`;
}

/** Names of files lack the epoch. */
function isVersion(installed: string, wanted: string, manager: PackageManager): boolean {
  return manager.isVersion(installed, wanted) || installed.replace(/^\d+:/, '') === wanted;
}

async function apply(
  spec: NonrepoPackageSpec,
  state: NonrepoPackageState,
  _drift: Drift,
  context: ResourceContext,
  fetchFile: Download,
): Promise<void> {
  const { manager, record, file } = state;
  const { files } = context.platform;
  const options = { flags: [], timeoutMs: changeTimeoutMs, signal: context.signal };
  if (spec.absent) {
    if (record !== undefined && record.status !== 'configuration')
      await manager.remove({ ...options, names: [spec.name], purge: false });
  } else {
    if (installReason(spec, state) !== undefined) await install(spec, state, context, fetchFile);
    if (spec.lockVersion) await manager.hold([spec.name], options);
  }
  await files.removeFile(file);
}

async function install(
  spec: NonrepoPackageSpec,
  { manager, form, record, file }: NonrepoPackageState,
  context: ResourceContext,
  fetchFile: Download,
): Promise<void> {
  const { platform, signal } = context;
  const { files, paths } = platform;
  const bytes = await fetched(spec.url, context, fetchFile);
  check(spec, form, bytes);
  const directory = await paths.resolve(workDirectory);
  await makeDirectories(directory, platform);
  await files.removeTemporaries(directory);
  await files.writeAtomic(file, bytes, { mode: 0o644 });
  const options = { flags: form.flags, timeoutMs: changeTimeoutMs, signal };
  try {
    const version = await versionInside(spec, form, file, context);
    if (record?.status === 'installed' && !spec.allowDowngrade && form.ending === 'rpm')
      refuseOlder(spec.name, record.version, version);
    if (record?.held === true && spec.lockVersion) await manager.unhold([spec.name], options);
    await manager.install({
      ...options,
      packages: [{ name: file }],
      allowDowngrade: spec.allowDowngrade,
      changeHeld: false,
      reinstall: record?.status === 'broken',
    });
  } catch (thrown) {
    await files.removeFile(file);
    throw thrown;
  }
}

/** apt refuses it by itself. */
function refuseOlder(name: string, installed: string, version: string): void {
  if (compareVersions(installed, version) > 0)
    throw new AgentError(
      'AGENT_PACKAGE_FAILED',
      `${name} is ${installed}, so ${version} is a downgrade, which allow_downgrade does not allow`,
    );
}

async function fetched(
  url: string,
  { platform, signal }: ResourceContext,
  fetchFile: Download,
): Promise<Uint8Array> {
  if (/^https?:/.test(url))
    return fetchFile(url, { limit: fileBytesLimit, timeoutMs: downloadTimeoutMs, signal });
  const path = await platform.paths.resolve(url.replace(/^file:\/\//, ''), { followLast: true });
  return platform.files.read(path, fileBytesLimit);
}

function check(spec: NonrepoPackageSpec, form: PackageForm, bytes: Uint8Array): void {
  if (spec.sha256 !== undefined) {
    const digest = sha256Hex(bytes);
    if (digest !== spec.sha256)
      throw new AgentError('AGENT_CHECKSUM_MISMATCH', {
        detail: `the file has ${digest}, not ${spec.sha256}`,
      });
  }
  if (!form.magic.every((byte, at) => bytes[at] === byte))
    throw new AgentError('AGENT_PACKAGE_FILE', { detail: `it is no ${form.ending} file` });
}

/** The version that the file itself tells, of the package that is declared. */
async function versionInside(
  spec: NonrepoPackageSpec,
  form: PackageForm,
  file: string,
  context: ResourceContext,
): Promise<string> {
  const { stdout } = await mustRun(form.describe(file), context, 'AGENT_PACKAGE_FILE');
  const [name = '', version = ''] = stdout.trim().split('\t');
  if (name !== spec.name)
    throw new AgentError('AGENT_PACKAGE_FILE', { detail: `it holds ${name}, not ${spec.name}` });
  return version.replace(/^0:/, '');
}

export const nonrepoPackageType = createNonrepoPackageType();
