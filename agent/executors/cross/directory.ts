import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { directorySchema } from '../../policy/resource-schemas/directory.ts';
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
import { clear, followTrusted, makeDirectories, occupied, readPath } from './places.ts';

export interface DirectorySpec extends Ownership {
  readonly path: string;
  readonly absent: boolean;
  readonly mode: number;
  /** Mode for everything below; only when a mode was declared. */
  readonly modeBelow: number | undefined;
  readonly recurse: boolean;
}

interface Entry {
  readonly path: string;
  readonly status: FileStatus;
}

export interface DirectoryState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  readonly ids: OwnerIds;
  /** What differs below it. */
  readonly below: readonly Entry[];
}

const defaultMode = 0o755;
/** Entries that recurse visits. */
export const recurseLimit = 100_000;
const shownLimit = 20;

/**
 * A directory. A trusted link to a directory counts as one; a regular file in its place is kept as a
 * snapshot and replaced. Absent removes the tree; a link at the path is removed, not what it names.
 */
export const directoryType: ResourceType<DirectorySpec, DirectoryState> = {
  name: 'directory',
  parameters: directorySchema.parameters,
  confinable: true,
  timeoutMs: 300_000,
  parse,
  observe,
  compare,
  apply,
  targets: (spec) => [
    // Changing everything below a directory is as far-reaching as removing it.
    { kind: 'path', value: spec.path, effect: spec.absent || spec.recurse ? 'remove' : 'write' },
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): DirectorySpec {
  const reader = new ParameterReader(directorySchema.parameters, values);
  const mode = readMode(reader) ?? defaultMode;
  const declared = values.mode !== undefined && values.mode !== null && values.mode !== '';
  const spec: DirectorySpec = {
    path: readPath(reader),
    absent: reader.enumeration('state', ['present', 'absent']) === 'absent',
    mode,
    modeBelow: declared ? mode : undefined,
    recurse: reader.boolean('recurse') === true,
    ...readOwnership(reader),
  };
  if (spec.absent && spec.path === '/') reader.problem('target_path', 'must not be the root');
  reader.finish();
  return spec;
}

async function observe(spec: DirectorySpec, context: ResourceContext): Promise<DirectoryState> {
  const { platform, signal } = context;
  if (spec.absent) {
    const path = await platform.paths.resolve(spec.path);
    const status = await platform.files.status(path);
    return { path, status, ids: { uid: undefined, gid: undefined }, below: [] };
  }
  const ids = await ownerIds(spec, platform);
  const { path, status } = await followTrusted(spec.path, platform);
  const walked: Entry[] = [];
  if (spec.recurse && status?.kind === 'directory')
    await walk({ path, status }, platform, signal, (entry) => void walked.push(entry));
  const below = walked.filter((entry) => entryDrift(spec, ids, entry).length > 0);
  return { path, status, ids, below };
}

/**
 * Never follows a link; visits a directory before what it holds. One that may not be read is not
 * descended into: its own mode is the drift, and apply visits it again after repairing that.
 */
async function walk(
  directory: Entry,
  platform: Platform,
  signal: AbortSignal,
  visit: (entry: Entry) => Promise<void> | void,
): Promise<number> {
  let visited = 0;
  for (const name of await listIfAllowed(directory, platform)) {
    if (signal.aborted) throw new AgentError('AGENT_ABORTED');
    const path = `${directory.path === '/' ? '' : directory.path}/${name}`;
    const status = await platform.files.status(path);
    if (status === undefined) continue;
    await visit({ path, status });
    visited += 1;
    if (status.kind === 'directory')
      visited += await walk({ path, status }, platform, signal, visit);
    if (visited > recurseLimit)
      throw new AgentError('AGENT_TREE_TOO_LARGE', { detail: `more than ${recurseLimit}` });
  }
  return visited;
}

async function listIfAllowed({ path, status }: Entry, platform: Platform): Promise<string[]> {
  try {
    return await platform.files.list(path);
  } catch (thrown) {
    const own = status.uid === platform.host.effectiveUid && (status.mode & 0o500) !== 0o500;
    if (own && thrown instanceof PlatformError && thrown.code === 'EACCES') return [];
    throw thrown;
  }
}

function entryDrift(spec: DirectorySpec, ids: OwnerIds, { status }: Entry): string[] {
  const hasMode = status.kind === 'file' || status.kind === 'directory';
  return [...(hasMode ? modeDrift(spec.modeBelow, status) : []), ...ownerDrift(ids, status)];
}

function compare(spec: DirectorySpec, state: DirectoryState): Drift {
  const { status } = state;
  if (spec.absent)
    return status === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `a ${status.kind} is there` };
  if (status === undefined) return { action: 'created', reason: 'the directory is missing' };
  if (status.kind === 'file') return { action: 'updated', reason: 'a file is in its place' };
  if (status.kind !== 'directory') throw occupied(spec.path, status.kind, 'directory');
  const own = [...modeDrift(spec.mode, status), ...ownerDrift(state.ids, status)];
  const lines = state.below
    .slice(0, shownLimit)
    .map((entry) => `${entry.path}: ${entryDrift(spec, state.ids, entry).join(', ')}`);
  if (own.length === 0 && lines.length === 0) return { action: 'none', reason: 'as declared' };
  const count = state.below.length;
  const reason = [...own, ...(count > 0 ? [`${count} entries below differ`] : [])].join(', ');
  return { action: 'updated', reason, diff: [...own, ...lines].join('\n') };
}

async function apply(
  spec: DirectorySpec,
  state: DirectoryState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { platform } = context;
  const { path, status, ids } = state;
  if (spec.absent) {
    if (status?.kind === 'directory') return platform.files.removeTree(path);
    return clear(path, status, context);
  }
  if (status?.kind !== 'directory') {
    await clear(path, status, context);
    await makeDirectories(dirname(path), platform);
    await platform.files.makeDirectory(path, spec.mode);
  }
  const now = await platform.files.status(path);
  if (now !== undefined) await setAttributes(path, now, spec.mode, ids, platform);
  if (!spec.recurse || now === undefined) return;
  await walk({ path, status: now }, platform, context.signal, async (entry) => {
    const hasMode = entry.status.kind === 'file' || entry.status.kind === 'directory';
    const mode = hasMode ? spec.modeBelow : undefined;
    await setAttributes(entry.path, entry.status, mode, ids, platform);
  });
}
