import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { fileSchema } from '../../policy/resource-schemas/file.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { contentChange, sameBytes } from './content.ts';
import { type FileFilters, filterContent, validateContent } from './filters.ts';
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
import { clear, makeDirectories, occupied, readPath, refuseFilledDirectory } from './places.ts';
import { changeSecurityContext, securityContext } from './security-context.ts';

export interface FileSpec extends Ownership, FileFilters {
  readonly path: string;
  readonly absent: boolean;
  /** Undefined leaves the content, and a new file is empty. */
  readonly content: Uint8Array | undefined;
  /** A file of the node, in place of content. */
  readonly source: string | undefined;
  readonly mode: number;
  readonly securityContext: string | undefined;
  /** Appended to the path; "true" for a time stamp. */
  readonly backup: string | undefined;
}

export interface FileState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** What the file is to hold; undefined leaves it. */
  readonly wanted: Uint8Array | undefined;
  /** What it holds; undefined when it is too large to be shown or no regular file. */
  readonly content: Uint8Array | undefined;
  readonly same: boolean;
  /** Its permissions keep an agent that is not root from reading its own file. */
  readonly unreadable?: boolean;
  readonly ids: OwnerIds;
  readonly securityContext: string | undefined;
}

/** Files of the node that are copied, and old content that is read for a diff. */
const sourceBytesLimit = 64 * 1024 * 1024;
const diffReadLimit = 512 * 1024;
const indentLimit = 200;

/**
 * A regular file. A link at the path is replaced, never followed; an empty directory is replaced, one
 * that holds something is not. Content is compared byte by byte on every pass: whatever a cache would
 * go by (times, inode) can be forged by who can write the file, and reading costs microseconds.
 */
export const fileType: ResourceType<FileSpec, FileState> = {
  name: 'file',
  parameters: fileSchema.parameters,
  confinable: true,
  timeoutMs: 120_000,
  templateParameters: { source: 'content' },
  parse,
  observe,
  compare,
  apply,
  targets: (spec) => [
    { kind: 'path', value: spec.path, effect: spec.absent ? 'remove' : 'write' },
    ...[...spec.streamEdit, ...(spec.validate === undefined ? [] : [spec.validate])].map(
      (value) => ({ kind: 'command', value, effect: 'run' }) as const,
    ),
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): FileSpec {
  const reader = new ParameterReader(fileSchema.parameters, values);
  const content = values.content === '' ? '' : reader.text('content');
  const source = reader.text('source');
  const indent = ' '.repeat(reader.integer('baseindent', 0, indentLimit) ?? 0);
  const backup = reader.text('backup');
  if (content !== undefined && source !== undefined) reader.problem('source', 'excludes content');
  if (source !== undefined && !source.startsWith('/'))
    reader.problem('source', 'names no template of the policy and no absolute path');
  if (backup?.includes('/')) reader.problem('backup', 'must not hold "/"');
  const spec: FileSpec = {
    path: readPath(reader),
    absent: reader.enumeration('state', ['present', 'absent']) === 'absent',
    content:
      content === undefined
        ? undefined
        : new TextEncoder().encode(content.replace(/^(?=[^\n])/gm, indent)),
    source,
    mode: readMode(reader) ?? 0o644,
    ...readOwnership(reader),
    securityContext: reader.text('secontext'),
    backup: backup === 'false' ? undefined : backup,
    validate: reader.text('validate'),
    streamEdit: reader.list('stream_edit') ?? [],
  };
  if (spec.streamEdit.some((script) => !script.startsWith('/')))
    reader.problem('stream_edit', 'must be absolute paths');
  reader.finish();
  return spec;
}

async function observe(spec: FileSpec, context: ResourceContext): Promise<FileState> {
  const { platform } = context;
  if (platform.paths.confined && (spec.validate !== undefined || spec.streamEdit.length > 0))
    throw new AgentError('AGENT_TYPE_NOT_CONFINABLE', { detail: 'validate and stream_edit' });
  const path = await platform.paths.resolve(spec.path);
  const status = await platform.files.status(path);
  const regular = status?.kind === 'file';
  const base = { path, status, same: true, wanted: undefined, content: undefined };
  if (spec.absent)
    return { ...base, ids: { uid: undefined, gid: undefined }, securityContext: undefined };
  await refuseFilledDirectory(spec.path, path, status, 'file', platform);
  const ids = await ownerIds(spec, platform);
  const wanted = await wantedContent(spec, regular ? path : undefined, context);
  const label =
    spec.securityContext && (await securityContext(regular ? path : undefined, context));
  const state = { ...base, ids, wanted, securityContext: label };
  if (!regular || wanted === undefined) return state;
  const mayBeSame = status.size === wanted.length;
  if (!mayBeSame && status.size > diffReadLimit) return { ...state, same: false };
  const content = await readIfAllowed(path, status, platform);
  if (content === undefined) return { ...state, same: false, unreadable: true };
  return { ...state, content, same: sameBytes(content, wanted) };
}

async function readIfAllowed(
  path: string,
  status: FileStatus,
  platform: Platform,
): Promise<Uint8Array | undefined> {
  try {
    return await platform.files.read(path);
  } catch (thrown) {
    const own = status.uid === platform.host.effectiveUid && (status.mode & 0o400) === 0;
    if (own && thrown instanceof PlatformError && thrown.code === 'EACCES') return undefined;
    throw thrown;
  }
}

async function wantedContent(
  spec: FileSpec,
  existing: string | undefined,
  context: ResourceContext,
): Promise<Uint8Array | undefined> {
  const declared = spec.content ?? (await sourceContent(spec, context.platform));
  if (spec.streamEdit.length === 0) return declared;
  const input =
    declared ??
    (existing === undefined ? new Uint8Array() : await context.platform.files.read(existing));
  return filterContent(input, spec.streamEdit, context);
}

async function sourceContent(spec: FileSpec, platform: Platform): Promise<Uint8Array | undefined> {
  if (spec.source === undefined) return undefined;
  const path = await platform.paths.resolve(spec.source, { followLast: true });
  return platform.files.read(path, sourceBytesLimit);
}

function compare(spec: FileSpec, state: FileState): Drift {
  const { status } = state;
  if (spec.absent) return compareAbsent(spec, status);
  const diff = () => contentChange(spec.path, spec.mode, state);
  if (status === undefined)
    return { action: 'created', reason: 'the file is missing', diff: diff() };
  if (status.kind === 'other') throw occupied(spec.path, 'device, socket or pipe', 'file');
  if (status.kind !== 'file')
    return { action: 'updated', reason: `a ${status.kind} is in its place`, diff: diff() };
  const attributes = [...modeDrift(spec.mode, status), ...ownerDrift(state.ids, status)];
  if (state.securityContext !== undefined && state.securityContext !== spec.securityContext)
    attributes.push(`secontext ${state.securityContext} -> ${spec.securityContext}`);
  if (state.same && attributes.length === 0) return { action: 'none', reason: 'as declared' };
  const content = state.unreadable ? 'content cannot be read' : 'content differs';
  const reason = [...(state.same ? [] : [content]), ...attributes].join(', ');
  const lines = [...attributes, ...(state.same ? [] : [diff()])];
  return { action: 'updated', reason, diff: lines.join('\n') };
}

function compareAbsent(spec: FileSpec, status: FileStatus | undefined): Drift {
  if (status === undefined) return { action: 'none', reason: 'absent as declared' };
  if (status.kind === 'directory') throw occupied(spec.path, 'directory', 'file');
  return { action: 'deleted', reason: `a ${status.kind} is there` };
}

async function apply(
  spec: FileSpec,
  observed: FileState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { platform } = context;
  const state = observed.unreadable ? await makeReadable(spec, observed, context) : observed;
  const { path, status } = state;
  if (spec.absent) return clear(path, status, context);
  if (status?.kind === 'file' && state.same)
    await setAttributes(path, status, spec.mode, state.ids, platform);
  else await write(spec, state, context);
  if (state.securityContext !== undefined && state.securityContext !== spec.securityContext)
    await changeSecurityContext(path, spec.securityContext!, context);
}

async function makeReadable(
  spec: FileSpec,
  state: FileState,
  context: ResourceContext,
): Promise<FileState> {
  await context.platform.files.setMode(state.path, spec.mode | 0o400);
  return observe(spec, context);
}

async function write(spec: FileSpec, state: FileState, context: ResourceContext): Promise<void> {
  const { files } = context.platform;
  const { path, status, ids } = state;
  const content = state.wanted ?? new Uint8Array();
  await makeDirectories(dirname(path), context.platform);
  await validateContent(path, content, spec, context);
  if (status?.kind === 'file') await keepOld(spec, state, context);
  if (status?.kind === 'directory') await files.removeEmptyDirectory(path);
  await files.writeAtomic(path, content, {
    mode: spec.mode,
    ...(ids.uid === undefined ? {} : { uid: ids.uid }),
    ...(ids.gid === undefined ? {} : { gid: ids.gid }),
  });
}

async function keepOld(spec: FileSpec, state: FileState, context: ResourceContext): Promise<void> {
  const { files, clock } = context.platform;
  await context.snapshot(state.path);
  if (spec.backup === undefined) return;
  const seconds = Math.floor(clock.nowMs() / 1000);
  const suffix = spec.backup === 'true' ? `.${seconds}.bak` : spec.backup;
  await files.removeFile(state.path + suffix);
  await files.copyFile(state.path, state.path + suffix, state.status!.mode);
}
