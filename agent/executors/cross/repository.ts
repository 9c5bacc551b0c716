import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import { type Download, download } from '../../platform/download.ts';
import { detectPackageManager } from '../../platform/packages/detect.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { repositorySchema } from '../../policy/resource-schemas/repository.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import {
  applyManaged,
  compareManaged,
  joinDrifts,
  type ManagedFileState,
  observeManaged,
} from './managed-file.ts';
import { followTrusted, makeDirectories } from './places.ts';
import {
  type RepositoryFormat,
  type RepositoryParts,
  readParts,
  renderRepository,
  repositoryFormats,
  repositoryPath,
  repositoryProblem,
  withInclude,
} from './repository-files.ts';
import { fingerprintsOf, keptForm, keyPath, trustByPacman } from './repository-keys.ts';

export interface RepositorySpec extends RepositoryParts {
  readonly absent: boolean;
  readonly keyUrl: string | undefined;
  /** 40 hexadecimal digits, upper case. */
  readonly fingerprint: string | undefined;
  readonly format: 'list' | 'deb822' | 'auto';
}

export interface RepositoryState {
  readonly format: RepositoryFormat;
  readonly file: ManagedFileState;
  /** The same source in apt's other form, which would stand twice. */
  readonly other: { readonly path: string; readonly there: boolean } | undefined;
  readonly key: { readonly path: string; readonly status: FileStatus | undefined };
  /** Of the key that is there; undefined when it is missing or no key. */
  readonly fingerprints: readonly string[] | undefined;
  /** pacman.conf, which names the drop-ins; undefined for other managers. */
  readonly include: { readonly path: string; readonly text: string } | undefined;
}

const pacmanConfig = '/etc/pacman.conf';
const keyBytesLimit = 1024 * 1024;
const keyTimeoutMs = 60_000;
const formats = ['list', 'deb822', 'auto'] as const;

/**
 * A source of packages: a file for the package manager, and for a signed one its key. The network is
 * asked only for a key that is missing or wrong; lists are refreshed by whoever installs.
 */
export function createRepositoryType(
  fetchKey: Download = download,
): ResourceType<RepositorySpec, RepositoryState> {
  return {
    name: 'repository',
    parameters: repositorySchema.parameters,
    confinable: false,
    timeoutMs: 180_000,
    parse,
    observe,
    compare,
    apply: (spec, state, _drift, context) => apply(spec, state, context, fetchKey),
    targets: (spec) => [
      ...repositoryFormats
        .flatMap((format) => [
          repositoryPath(format, spec.name),
          keyPath(format, spec.name, spec.keyUrl),
        ])
        .map(
          (value) => ({ kind: 'path', value, effect: spec.absent ? 'remove' : 'write' }) as const,
        ),
      { kind: 'path', value: pacmanConfig, effect: 'write' } as const,
    ],
  };
}

function parse(values: Readonly<Record<string, PolicyValue>>): RepositorySpec {
  const reader = new ParameterReader(repositorySchema.parameters, values);
  const absent = reader.absent();
  const keyUrl = reader.text('key_url');
  const parts = readParts(reader);
  if (!absent && parts.repo === '') reader.problem('repo', 'is required for state present');
  if (!parts.repo.trimStart().startsWith('[') && /[\r\n]/.test(parts.repo.trim()))
    reader.problem('repo', 'must be one line');
  const fingerprint = reader.text('key_fingerprint')?.replace(/\s/g, '').toUpperCase();
  if (fingerprint !== undefined && keyUrl === undefined)
    reader.problem('key_fingerprint', 'needs key_url');
  const spec: RepositorySpec = {
    ...parts,
    absent,
    keyUrl,
    fingerprint,
    format: reader.enumeration('format', formats) ?? 'auto',
  };
  reader.finish();
  return spec;
}

async function formatOf(spec: RepositorySpec, platform: Platform): Promise<RepositoryFormat> {
  const { files, paths } = platform;
  const manager = (await detectPackageManager(platform))?.name;
  if (manager === 'zypper' || manager === 'pacman' || manager === 'apk') return manager;
  if (manager === 'dnf' || manager === 'yum') return 'dnf';
  if (manager !== 'apt') throw new AgentError('AGENT_PACKAGE_MANAGER_MISSING');
  if (spec.format !== 'auto') return spec.format;
  for (const name of ['ubuntu.sources', 'debian.sources']) {
    const path = await paths.resolve(`/etc/apt/sources.list.d/${name}`, { followLast: true });
    if ((await files.status(path)) !== undefined) return 'deb822';
  }
  return 'list';
}

async function observe(
  spec: RepositorySpec,
  { platform }: ResourceContext,
): Promise<RepositoryState> {
  const { files, paths } = platform;
  const format = await formatOf(spec, platform);
  const isApt = format === 'list' || format === 'deb822';
  const otherPath = repositoryPath(format === 'list' ? 'deb822' : 'list', spec.name);
  const other = isApt ? await paths.resolve(otherPath) : undefined;
  const key = await paths.resolve(keyPath(format, spec.name, spec.keyUrl));
  const status = await files.status(key);
  return {
    format,
    file: await observeManaged(repositoryPath(format, spec.name), platform),
    other:
      other === undefined
        ? undefined
        : { path: other, there: (await files.status(other)) !== undefined },
    key: { path: key, status },
    fingerprints:
      status?.kind === 'file' && spec.keyUrl !== undefined
        ? fingerprintsOf(format, await files.read(key, keyBytesLimit))
        : undefined,
    include: format === 'pacman' ? await observeInclude(platform) : undefined,
  };
}

async function observeInclude(platform: Platform): Promise<RepositoryState['include']> {
  const { path, status } = await followTrusted(pacmanConfig, platform);
  const bytes = status?.kind === 'file' ? await platform.files.read(path) : new Uint8Array();
  return { path, text: new TextDecoder().decode(bytes) };
}

function managed(spec: RepositorySpec, format: RepositoryFormat) {
  const path = repositoryPath(format, spec.name);
  const key = spec.keyUrl === undefined ? undefined : keyPath(format, spec.name, spec.keyUrl);
  return { path, content: spec.absent ? undefined : renderRepository(format, spec, key) };
}

function keyDrift(
  spec: RepositorySpec,
  { key, fingerprints }: RepositoryState,
): string | undefined {
  if (spec.absent || spec.keyUrl === undefined)
    return spec.absent && key.status !== undefined ? 'its key is there' : undefined;
  if (key.status === undefined) return 'its key is missing';
  if (fingerprints === undefined) return 'its key file holds no key';
  if (spec.fingerprint !== undefined && !fingerprints.includes(spec.fingerprint))
    return `its key is ${fingerprints[0]}, not ${spec.fingerprint}`;
  return undefined;
}

/** What pacman.conf is to be; undefined when it is right, or another manager's machine. */
function wantedInclude(
  { name, absent }: RepositorySpec,
  { include }: RepositoryState,
): string | undefined {
  if (include === undefined) return undefined;
  const text = withInclude(include.text, repositoryPath('pacman', name), !absent);
  return text === include.text ? undefined : text;
}

function compare(spec: RepositorySpec, state: RepositoryState): Drift {
  const { format, other } = state;
  if (!spec.absent) {
    const problem = repositoryProblem(format, spec.repo);
    if (problem !== undefined)
      throw new AgentError('POLICY_PARAMETER_INVALID', { detail: `repo: ${problem}` });
    if (format === 'apk' && spec.fingerprint !== undefined)
      throw new AgentError('POLICY_PARAMETER_INVALID', {
        detail: 'key_fingerprint: keys of apk are no OpenPGP keys and have none',
      });
  }
  const action = spec.absent ? 'deleted' : 'updated';
  const wrong = [
    keyDrift(spec, state),
    other?.there ? `${spec.name} stands in ${other.path} too` : undefined,
    wantedInclude(spec, state) === undefined
      ? undefined
      : `${pacmanConfig} ${spec.absent ? 'takes it in' : 'does not take it in'}`,
  ].filter((one) => one !== undefined);
  const file = compareManaged(managed(spec, format), state.file);
  const drifts = [file, ...wrong.map((reason): Drift => ({ action, reason }))];
  const joined = joinDrifts(drifts);
  return file.action === 'none' ? joined : { ...joined, action: file.action };
}

/**
 * The key first: a source whose key is missing stops every refresh. pacman.conf never names a file
 * that is not there.
 */
async function apply(
  spec: RepositorySpec,
  state: RepositoryState,
  context: ResourceContext,
  fetchKey: Download,
): Promise<void> {
  const { files } = context.platform;
  if (!spec.absent && keyDrift(spec, state) !== undefined)
    await installKey(spec, state, context, fetchKey);
  if (spec.absent) await writeInclude(spec, state, context);
  const file = managed(spec, state.format);
  if (compareManaged(file, state.file).action !== 'none')
    await applyManaged(file, state.file, context);
  if (!spec.absent) await writeInclude(spec, state, context);
  if (state.other?.there) await files.removeFile(state.other.path);
  if (spec.absent && state.key.status !== undefined) await files.removeFile(state.key.path);
}

async function writeInclude(
  spec: RepositorySpec,
  state: RepositoryState,
  context: ResourceContext,
): Promise<void> {
  const text = wantedInclude(spec, state);
  const path = state.include?.path;
  if (text === undefined || path === undefined) return;
  if ((await context.platform.files.status(path)) !== undefined) await context.snapshot(path);
  await context.platform.files.writeAtomic(path, new TextEncoder().encode(text), {});
}

async function installKey(
  spec: RepositorySpec,
  { key, format }: RepositoryState,
  context: ResourceContext,
  fetchKey: Download,
): Promise<void> {
  const { platform, signal } = context;
  const bytes = await keyBytes(spec.keyUrl!, platform, (url) =>
    fetchKey(url, { limit: keyBytesLimit, timeoutMs: keyTimeoutMs, signal }),
  );
  const found = fingerprintsOf(format, bytes);
  if (found === undefined) throw new AgentError('AGENT_KEY_REFUSED', { detail: 'it is no key' });
  if (spec.fingerprint !== undefined && !found.includes(spec.fingerprint))
    throw new AgentError('AGENT_KEY_REFUSED', {
      detail: `its fingerprint is ${found[0]}, not ${spec.fingerprint}`,
    });
  const directory = dirname(keyPath(format, spec.name, spec.keyUrl));
  await makeDirectories(await platform.paths.resolve(directory, { followLast: true }), platform);
  const kept = keptForm(format, bytes);
  if (format !== 'pacman') return platform.files.writeAtomic(key.path, kept, { mode: 0o644 });
  // The key is in its place once pacman has it.
  const work = `${key.path}.new`;
  await platform.files.writeAtomic(work, kept, { mode: 0o644 });
  await trustByPacman(work, spec.fingerprint ?? found[0]!, context);
  await platform.files.rename(work, key.path);
}

async function keyBytes(
  url: string,
  platform: Platform,
  fetchKey: (url: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (/^https?:/.test(url)) return fetchKey(url);
  const path = url.replace(/^file:\/\//, '');
  return platform.files.read(
    await platform.paths.resolve(path, { followLast: true }),
    keyBytesLimit,
  );
}

export const repositoryType = createRepositoryType();
