import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import { readArchive, sha256Hex } from '../../platform/archive/archive.ts';
import { type Download, download } from '../../platform/download.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { sourcePackageSchema } from '../../policy/resource-schemas/source-package.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import {
  modeDrift,
  type OwnerIds,
  type Ownership,
  ownerDrift,
  ownerIds,
  readMode,
  readOwnership,
  setAttributes,
} from './ownership.ts';
import { makeDirectories, occupied, readPath } from './places.ts';
import { writeTree } from './source-package-tree.ts';

export interface SourcePackageSpec extends Ownership {
  readonly path: string;
  readonly absent: boolean;
  readonly url: string;
  /** Undefined: the whole archive is kept, as a directory. */
  readonly binaryPath: string | undefined;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string | undefined;
  readonly version: string | undefined;
  readonly mode: number;
}

export interface SourcePackageState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  readonly marker: string;
  /** What the marker says; undefined when it is missing. */
  readonly marked: Mark | undefined;
  /** Of the file at the path; only observed when it is declared. */
  readonly sha256: string | undefined;
  readonly ids: OwnerIds;
  /** The directory beside the path that an interrupted pass left. */
  readonly work: string;
  readonly interrupted: boolean;
}

interface Mark {
  readonly version: string;
  readonly archiveSha256: string;
}

const archiveBytesLimit = 256 * 1024 * 1024;
const fileBytesLimit = 1024 * 1024 * 1024;
const downloadTimeoutMs = 600_000;
const markerLimit = 4096;

/** `fetchArchive`: only called when something has to be installed. */
export function createSourcePackageType(
  fetchArchive: Download = download,
): ResourceType<SourcePackageSpec, SourcePackageState> {
  return {
    name: 'source_package',
    parameters: sourcePackageSchema.parameters,
    confinable: false,
    timeoutMs: 900_000,
    parse,
    observe,
    compare,
    apply: (spec, state, drift, context) => apply(spec, state, drift, context, fetchArchive),
    targets: ({ path, absent }) => [
      { kind: 'path', value: path, effect: absent ? 'remove' : 'write' },
    ],
  };
}

function parse(values: Readonly<Record<string, PolicyValue>>): SourcePackageSpec {
  const reader = new ParameterReader(sourcePackageSchema.parameters, values);
  const absent = reader.absent();
  const url = reader.text('url') ?? '';
  const path = readPath(reader);
  if (!absent && url === '') reader.problem('url', 'is required for state present');
  if (path === '/') reader.problem('target_path', 'must not be the root');
  const spec: SourcePackageSpec = {
    path,
    absent,
    url,
    binaryPath: reader.text('binary_path')?.replace(/^(\.\/)+/, ''),
    sha256: reader.text('sha256')?.toLowerCase(),
    version: reader.text('version'),
    mode: readMode(reader) ?? 0o755,
    ...readOwnership(reader),
  };
  reader.finish();
  return spec;
}

async function observe(
  spec: SourcePackageSpec,
  { platform }: ResourceContext,
): Promise<SourcePackageState> {
  const { files, paths } = platform;
  const path = await paths.resolve(spec.path);
  const status = await files.status(path);
  const isTree = status?.kind === 'directory';
  const marker = isTree ? `${path}/.vigo-version` : `${path}.vigo-version`;
  const marked = await readMark(marker, platform);
  const work = `${dirname(path)}/.vigo-unpack-${path.slice(path.lastIndexOf('/') + 1)}`;
  const none = { uid: undefined, gid: undefined };
  const hashes = !spec.absent && spec.binaryPath !== undefined && spec.sha256 !== undefined;
  if (isTree && marked === undefined && (await files.list(path)).length > 0)
    throw occupied(spec.path, 'directory that holds something', 'tree of this resource');
  return {
    path,
    status,
    marker,
    marked,
    sha256:
      hashes && status?.kind === 'file'
        ? sha256Hex(await files.read(path, fileBytesLimit))
        : undefined,
    ids: spec.absent ? none : await ownerIds(spec, platform),
    work,
    interrupted: (await files.status(work)) !== undefined,
  };
}

async function readMark(path: string, { files }: Platform): Promise<Mark | undefined> {
  if ((await files.status(path))?.kind !== 'file') return undefined;
  const text = new TextDecoder().decode(await files.read(path, markerLimit));
  const [version = '', archiveSha256 = ''] = text.split('\n');
  return { version, archiveSha256 };
}

function compare(spec: SourcePackageSpec, state: SourcePackageState): Drift {
  const { status, interrupted } = state;
  if (status?.kind === 'other') throw occupied(spec.path, 'device, socket or pipe', 'file');
  if (spec.absent) {
    if (status === undefined && state.marked === undefined && !interrupted)
      return { action: 'none', reason: 'absent as declared' };
    return { action: 'deleted', reason: `${spec.path} is there` };
  }
  const change = installReason(spec, state);
  if (status === undefined) return { action: 'created', reason: change! };
  if (change !== undefined) return { action: 'updated', reason: change, diff: change };
  const attributes = [...modeDrift(spec.mode, status), ...ownerDrift(state.ids, status)];
  if (attributes.length > 0)
    return { action: 'updated', reason: attributes.join(', '), diff: attributes.join('\n') };
  if (interrupted) return { action: 'updated', reason: 'an interrupted pass left files behind' };
  return { action: 'none', reason: 'as declared' };
}

/** Why the archive has to be fetched; undefined when it has not. */
function installReason(spec: SourcePackageSpec, state: SourcePackageState): string | undefined {
  const { status, marked } = state;
  if (status === undefined) return `${spec.path} is missing`;
  const wanted = spec.binaryPath === undefined ? 'directory' : 'file';
  if (status.kind !== wanted) return `a ${status.kind} is in its place`;
  const digest = wanted === 'file' ? state.sha256 : marked?.archiveSha256;
  if (spec.sha256 !== undefined && digest !== spec.sha256)
    return `its SHA-256 is ${digest || 'not known'}, not ${spec.sha256}`;
  if (wanted === 'directory' && marked === undefined) return 'it is empty';
  if (spec.version !== undefined && marked?.version !== spec.version)
    return `its version is ${marked?.version || 'not known'}, not ${spec.version}`;
  return undefined;
}

async function apply(
  spec: SourcePackageSpec,
  state: SourcePackageState,
  _drift: Drift,
  context: ResourceContext,
  fetchArchive: Download,
): Promise<void> {
  const { platform } = context;
  const { files } = platform;
  await files.removeTree(state.work);
  await files.removeTemporaries(dirname(state.path));
  if (spec.absent) return remove(state, platform);
  if (installReason(spec, state) !== undefined) return install(spec, state, context, fetchArchive);
  await setAttributes(state.path, state.status!, spec.mode, state.ids, platform);
}

/** The marker of a file goes last: while it is there, the next pass knows what is left to do. */
async function remove(state: SourcePackageState, { files }: Platform): Promise<void> {
  if (state.status?.kind !== 'directory') {
    await files.removeFile(state.path);
    return files.removeFile(state.marker);
  }
  await files.makeDirectory(state.work, 0o700);
  await files.rename(state.path, `${state.work}/old`);
  await files.removeTree(state.work);
}

async function install(
  spec: SourcePackageSpec,
  state: SourcePackageState,
  context: ResourceContext,
  fetchArchive: Download,
): Promise<void> {
  const { platform, signal } = context;
  const bytes = await fetchArchive(spec.url, {
    limit: archiveBytesLimit,
    timeoutMs: downloadTimeoutMs,
    signal,
  });
  const digest = sha256Hex(bytes);
  if (spec.binaryPath === undefined) refuseOther(spec, digest, 'the archive');
  await makeDirectories(dirname(state.path), platform);
  await platform.files.makeDirectory(state.work, 0o700);
  const entries = await readArchive(bytes, state.work, platform, signal);
  const mark = new TextEncoder().encode(`${spec.version ?? ''}\n${digest}\n`);
  if (spec.binaryPath === undefined) {
    const tree = `${state.work}/new`;
    await platform.files.makeDirectory(tree, 0o755);
    await writeTree(tree, entries, state.ids, platform);
    await platform.files.writeAtomic(`${tree}/.vigo-version`, mark, { mode: 0o644 });
    await setAttributes(tree, (await platform.files.status(tree))!, spec.mode, state.ids, platform);
    if (state.status !== undefined) await platform.files.rename(state.path, `${state.work}/old`);
    await platform.files.rename(tree, state.path);
  } else {
    const file = entries.find(({ kind, path }) => kind === 'file' && path === spec.binaryPath);
    if (file?.kind !== 'file')
      throw new AgentError('AGENT_ARCHIVE_INVALID', { detail: `no file ${spec.binaryPath} in it` });
    refuseOther(spec, sha256Hex(file.bytes), spec.binaryPath);
    if (state.status?.kind === 'directory') await platform.files.removeTree(state.path);
    const { uid, gid } = state.ids;
    await platform.files.writeAtomic(state.path, file.bytes, {
      mode: spec.mode,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    await platform.files.writeAtomic(`${state.path}.vigo-version`, mark, { mode: 0o644 });
  }
  await platform.files.removeTree(state.work);
}

function refuseOther(spec: SourcePackageSpec, digest: string, what: string): void {
  if (spec.sha256 !== undefined && digest !== spec.sha256)
    throw new AgentError('AGENT_CHECKSUM_MISMATCH', {
      detail: `${what} has ${digest}, not ${spec.sha256}`,
    });
}

export const sourcePackageType = createSourcePackageType();
