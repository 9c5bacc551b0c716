import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import { type FileStatus, temporaryName } from '../../platform/platform.ts';
import { symlinkSchema } from '../../policy/resource-schemas/symlink.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { hexadecimal } from './filters.ts';
import {
  type OwnerIds,
  type Ownership,
  ownerDrift,
  ownerIds,
  readOwnership,
  setAttributes,
} from './ownership.ts';
import { clear, makeDirectories, occupied, readPath, refuseFilledDirectory } from './places.ts';

export interface SymlinkSpec extends Ownership {
  readonly path: string;
  readonly absent: boolean;
  /** The text of a soft link, or the declared path that a hard link shares. */
  readonly to: string;
  readonly hard: boolean;
  readonly force: boolean;
}

export interface SymlinkState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** What the link that is there says. */
  readonly points: string | undefined;
  /** Where a hard link's target really is, and what is there. */
  readonly target: string;
  readonly targetStatus: FileStatus | undefined;
  readonly ids: OwnerIds;
}

/**
 * A soft or hard link. A link that points elsewhere is repaired, since that is drift; a file or an
 * empty directory in its place only with force; a directory that holds something never.
 */
export const symlinkType: ResourceType<SymlinkSpec, SymlinkState> = {
  name: 'symlink',
  parameters: symlinkSchema.parameters,
  confinable: true,
  timeoutMs: 60_000,
  parse,
  observe,
  compare,
  apply,
  targets: (spec) => [
    { kind: 'path', value: spec.path, effect: spec.absent ? 'remove' : 'write' },
    ...(spec.hard && !spec.absent
      ? [{ kind: 'path', value: spec.to, effect: 'write' } as const]
      : []),
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): SymlinkSpec {
  const reader = new ParameterReader(symlinkSchema.parameters, values);
  const spec: SymlinkSpec = {
    path: readPath(reader),
    absent: reader.enumeration('state', ['present', 'absent']) === 'absent',
    to: reader.text('to') ?? '',
    hard: reader.enumeration('link_type', ['soft', 'hard']) === 'hard',
    force: reader.boolean('force') === true,
    ...readOwnership(reader),
  };
  if (!spec.absent && spec.to === '') reader.problem('to', 'is required for state present');
  if (spec.to.includes('\0')) reader.problem('to', 'must not hold NUL');
  if (!spec.absent && spec.hard) readPath(reader, 'to');
  reader.finish();
  return spec;
}

async function observe(spec: SymlinkSpec, context: ResourceContext): Promise<SymlinkState> {
  const { files, paths } = context.platform;
  const path = await paths.resolve(spec.path);
  const status = await files.status(path);
  const hard = spec.hard && !spec.absent;
  if (!spec.absent) await refuseFilledDirectory(spec.path, path, status, 'link', context.platform);
  const target = hard ? await paths.resolve(spec.to) : spec.to;
  return {
    path,
    status,
    points: status?.kind === 'symlink' ? await files.readLink(path) : undefined,
    target,
    targetStatus: hard ? await files.status(target) : undefined,
    ids: spec.absent ? { uid: undefined, gid: undefined } : await ownerIds(spec, context.platform),
  };
}

function compare(spec: SymlinkSpec, state: SymlinkState): Drift {
  const { status } = state;
  if (spec.absent) {
    if (status === undefined) return { action: 'none', reason: 'absent as declared' };
    if (status.kind === 'directory') throw occupied(spec.path, 'directory', 'link');
    if (status.kind !== 'symlink' && !spec.hard && !spec.force)
      throw occupied(spec.path, status.kind, 'link');
    return { action: 'deleted', reason: `a ${status.kind} is there` };
  }
  if (spec.hard && state.targetStatus === undefined)
    throw new AgentError('AGENT_PATH_MISSING', { detail: spec.to });
  const diff = `-> ${spec.to}`;
  if (status === undefined) return { action: 'created', reason: 'the link is missing', diff };
  if (!isLink(spec, state)) {
    if (status.kind !== 'symlink' && !spec.force) throw occupied(spec.path, status.kind, 'link');
    const now = state.points === undefined ? `a ${status.kind}` : `points to ${state.points}`;
    return { action: 'updated', reason: `${now} instead of ${spec.to}`, diff };
  }
  const owner = ownerDrift(state.ids, status);
  if (owner.length === 0) return { action: 'none', reason: 'as declared' };
  return { action: 'updated', reason: owner.join(', '), diff: owner.join('\n') };
}

function isLink(spec: SymlinkSpec, state: SymlinkState): boolean {
  if (!spec.hard) return state.points === spec.to;
  const { status, targetStatus } = state;
  return status?.inode === targetStatus?.inode && status?.device === targetStatus?.device;
}

async function apply(
  spec: SymlinkSpec,
  state: SymlinkState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { platform } = context;
  const { path, status } = state;
  if (spec.absent) return clear(path, status, context);
  if (!isLink(spec, state)) {
    await makeDirectories(dirname(path), platform);
    // Another link is replaced in one step; anything else is first kept or found empty.
    if (status?.kind !== 'symlink') await clear(path, status, context);
    await link(spec, state, context);
  }
  const now = await platform.files.status(path);
  if (now !== undefined) await setAttributes(path, now, undefined, state.ids, platform);
}

async function link(
  spec: SymlinkSpec,
  state: SymlinkState,
  context: ResourceContext,
): Promise<void> {
  const { files, host } = context.platform;
  const unique = hexadecimal(host.randomBytes(8));
  const temporary = `${dirname(state.path)}/${temporaryName(unique)}`;
  try {
    if (spec.hard) await files.hardLink(state.target, temporary);
    else await files.symbolicLink(spec.to, temporary);
    await files.rename(temporary, state.path);
  } catch (thrown) {
    await files.removeFile(temporary);
    throw thrown;
  }
}
