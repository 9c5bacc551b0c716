import { dirname } from '../../converge/path-text.ts';
import type { FileStatus, Platform } from '../../platform/platform.ts';
import type { Drift, ResourceContext } from '../contract.ts';
import { contentChange } from './content.ts';
import { clear, makeDirectories, refuseFilledDirectory } from './places.ts';

/** First line of every file that a type writes whole. */
export const managedHeader = '# Managed by vigo; changes made here are undone.';

/** A configuration file that belongs to one resource, compared byte by byte. */
export interface ManagedFile {
  /** Declared path. */
  readonly path: string;
  /** The whole file; undefined when it is to be absent. */
  readonly content: string | undefined;
  /** Default 0644. */
  readonly mode?: number;
}

export interface ManagedFileState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** Undefined when there is no regular file, or one far too large. */
  readonly content: string | undefined;
  /** root:root; undefined where the agent cannot give files away. */
  readonly owner: number | undefined;
}

const readLimit = 1024 * 1024;
const defaultMode = 0o644;

export async function observeManaged(
  path: string,
  platform: Platform,
  limit = readLimit,
): Promise<ManagedFileState> {
  const real = await platform.paths.resolve(path);
  const status = await platform.files.status(real);
  await refuseFilledDirectory(path, real, status, 'file', platform);
  const regular = status?.kind === 'file' && status.size <= limit;
  const bytes = regular ? await platform.files.read(real, limit) : undefined;
  const privileged = platform.host.effectiveUid === 0 && !platform.paths.confined;
  return {
    path: real,
    status,
    content: bytes === undefined ? undefined : new TextDecoder().decode(bytes),
    owner: privileged ? 0 : undefined,
  };
}

export function compareManaged(file: ManagedFile, state: ManagedFileState): Drift {
  const { status } = state;
  const { path, content } = file;
  if (content === undefined)
    return status === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `${path} exists` };
  const mode = file.mode ?? defaultMode;
  const encoder = new TextEncoder();
  const diff = () =>
    contentChange(path, mode, {
      status,
      content: state.content === undefined ? undefined : encoder.encode(state.content),
      wanted: encoder.encode(content),
    });
  if (status === undefined)
    return { action: 'created', reason: `${path} does not exist`, diff: diff() };
  if (status.kind !== 'file')
    return { action: 'updated', reason: `${path} is a ${status.kind}, not a file`, diff: diff() };
  if (state.content !== content)
    return { action: 'updated', reason: `the content of ${path} differs`, diff: diff() };
  if (status.mode !== mode)
    return {
      action: 'updated',
      reason: `${path} has mode ${status.mode.toString(8)}, not ${mode.toString(8)}`,
    };
  if (state.owner !== undefined && (status.uid !== state.owner || status.gid !== state.owner))
    return { action: 'updated', reason: `${path} belongs to ${status.uid}:${status.gid}, not 0:0` };
  return { action: 'none', reason: 'as declared' };
}

export async function applyManaged(
  file: ManagedFile,
  state: ManagedFileState,
  context: ResourceContext,
): Promise<void> {
  const { files, paths } = context.platform;
  const replaced = state.status?.kind !== 'file' || file.content === undefined;
  if (replaced) await clear(state.path, state.status, context);
  else await context.snapshot(state.path);
  if (file.content === undefined) return;
  const directory = await paths.resolve(dirname(file.path), { followLast: true });
  await makeDirectories(directory, context.platform);
  await files.writeAtomic(state.path, new TextEncoder().encode(file.content), {
    mode: file.mode ?? defaultMode,
    ...(state.owner === undefined ? {} : { uid: state.owner, gid: state.owner }),
  });
}

/** The same drift with what else differs: the sentence and the lines of both. */
export function joinDrifts(drifts: readonly Drift[]): Drift {
  const real = drifts.filter(({ action }) => action !== 'none');
  const [first] = real;
  if (first === undefined) return drifts[0] ?? { action: 'none', reason: 'as declared' };
  const actions = new Set(real.map(({ action }) => action));
  const diffs = real.map(({ diff }) => diff).filter((diff) => diff !== undefined && diff !== '');
  return {
    // What was partly there is repaired, not made.
    action: actions.size === 1 && real.length === drifts.length ? first.action : 'updated',
    reason: real.map(({ reason }) => reason).join('; '),
    ...(diffs.length === 0 ? {} : { diff: diffs.join('\n') }),
  };
}
