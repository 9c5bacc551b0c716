import { dirname } from '../../converge/path-text.ts';
import { AgentError } from '../../errors.ts';
import type { FileStatus } from '../../platform/platform.ts';
import { gitSchema } from '../../policy/resource-schemas/git.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { type Clone, readClone } from './git-clone.ts';
import {
  forgetRemote,
  gitFailure,
  type RemoteHead,
  remoteHead,
  runGit,
  withoutPassword,
} from './git-remote.ts';
import { makeDirectories, occupied, readPath } from './places.ts';

export interface GitSpec {
  readonly path: string;
  readonly absent: boolean;
  readonly repo: string;
  /** A branch or tag; undefined for the default branch of the remote. */
  readonly branch: string | undefined;
  readonly depth: number | undefined;
  readonly force: boolean;
}

export interface GitState {
  readonly path: string;
  readonly status: FileStatus | undefined;
  /** Undefined when there is nothing, or an empty directory. */
  readonly clone: Clone | undefined;
  /** What the remote offers, or why it did not say. */
  readonly remote: RemoteHead | AgentError | undefined;
}

const transferTimeoutMs = 900_000;
const shownCommit = 10;

/**
 * A working copy of a git repository. What is there is read from its files; the remote is asked at
 * most every five minutes, and while it is out of reach a working copy that was right stays right.
 */
export const gitType: ResourceType<GitSpec, GitState> = {
  name: 'git',
  parameters: gitSchema.parameters,
  confinable: false,
  timeoutMs: 1_200_000,
  parse,
  observe,
  compare,
  apply,
  targets: ({ path, absent }) => [
    { kind: 'path', value: path, effect: absent ? 'remove' : 'write' },
  ],
};

function parse(values: Readonly<Record<string, PolicyValue>>): GitSpec {
  const reader = new ParameterReader(gitSchema.parameters, values);
  const spec: GitSpec = {
    path: readPath(reader, 'path'),
    absent: reader.absent(),
    repo: reader.text('repo') ?? '',
    branch: reader.text('branch'),
    depth: reader.integer('depth', 1, 1_000_000),
    force: reader.boolean('force') === true,
  };
  if (!spec.absent && spec.repo === '') reader.problem('repo', 'is required for state present');
  if (spec.path === '/') reader.problem('path', 'must not be the root');
  reader.finish();
  return spec;
}

async function observe(spec: GitSpec, context: ResourceContext): Promise<GitState> {
  const { files, paths } = context.platform;
  const path = await paths.resolve(spec.path);
  const status = await files.status(path);
  if (spec.absent) return { path, status, clone: undefined, remote: undefined };
  if (status !== undefined && status.kind !== 'directory')
    throw occupied(spec.path, status.kind, 'working copy');
  const filled = status !== undefined && (await files.list(path)).length > 0;
  const isClone = filled && (await files.status(`${path}/.git`))?.kind === 'directory';
  if (filled && !isClone)
    throw occupied(spec.path, 'directory that holds something else', 'working copy');
  const clone = isClone ? await readClone(context.platform, spec.path) : undefined;
  return { path, status, clone, remote: await askRemote(spec, context) };
}

async function askRemote(
  spec: GitSpec,
  context: ResourceContext,
): Promise<RemoteHead | AgentError> {
  try {
    return await remoteHead(spec.repo, spec.branch, context);
  } catch (thrown) {
    if (thrown instanceof AgentError && thrown.outcome === 'blocked') return thrown;
    throw thrown;
  }
}

function compare(spec: GitSpec, { status, clone, remote }: GitState): Drift {
  if (spec.absent)
    return status === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `${spec.path} exists` };
  const right = clone?.commit !== undefined && clone.url === spec.repo;
  if (remote instanceof AgentError) {
    if (!right || (spec.branch !== undefined && clone.branch !== spec.branch)) throw remote;
    const at = clone.commit!.slice(0, shownCommit);
    return { action: 'none', reason: `at ${at}; the remote is out of reach` };
  }
  const wanted = remote!.commit;
  const name = spec.branch ?? remote!.branch ?? 'HEAD';
  const diff = `${name}: ${clone?.commit ?? '(none)'} -> ${wanted}`;
  if (clone === undefined)
    return { action: 'created', reason: `${spec.path} is no working copy yet`, diff };
  const wrong = [
    ...(clone.url === spec.repo
      ? []
      : [`it is a copy of ${withoutPassword(clone.url ?? 'nothing')}`]),
    ...(remote!.branch === undefined || clone.branch === remote!.branch
      ? []
      : [`it is on ${clone.branch ?? 'no branch'}, not ${remote!.branch}`]),
    ...(clone.commit === wanted
      ? []
      : [
          `it is at ${clone.commit?.slice(0, shownCommit) ?? 'no commit'}, ${name} at ${wanted.slice(0, shownCommit)}`,
        ]),
  ];
  if (wrong.length === 0)
    return { action: 'none', reason: `at ${name}, ${wanted.slice(0, shownCommit)}` };
  return { action: 'updated', reason: `${spec.path}: ${wrong.join(', ')}`, diff };
}

async function apply(
  spec: GitSpec,
  state: GitState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { files } = context.platform;
  const { path, status } = state;
  if (spec.absent) {
    if (status?.kind === 'directory') await files.removeTree(path);
    else await files.removeFile(path);
    return;
  }
  if (state.clone === undefined) await clone(spec, state, context);
  else await update(spec, state, state.remote as RemoteHead, context);
  // It may have moved on since it was asked.
  forgetRemote(spec.repo, spec.branch, context.platform);
}

async function git(context: ResourceContext, ...words: readonly string[]): Promise<void> {
  const result = await runGit(words, context, transferTimeoutMs);
  if (result.exitCode !== 0) throw gitFailure(words.find((one) => /^[a-z]/.test(one))!, result);
}

function depthOf({ depth }: GitSpec): string[] {
  return depth === undefined ? [] : ['--depth', String(depth)];
}

/** Beside its place, so that what is at the path is always nothing or a whole working copy. */
async function clone(spec: GitSpec, state: GitState, context: ResourceContext): Promise<void> {
  const { platform } = context;
  const work = `${state.path}.vigo-new`;
  await makeDirectories(dirname(state.path), platform);
  await platform.files.removeTree(work);
  const branch = spec.branch === undefined ? [] : ['--branch', spec.branch];
  await git(context, 'clone', '--quiet', ...depthOf(spec), ...branch, '--', spec.repo, work);
  if (state.status !== undefined) await platform.files.removeEmptyDirectory(state.path);
  await platform.files.rename(work, state.path);
}

async function update(
  spec: GitSpec,
  { path, clone: old }: GitState,
  remote: RemoteHead,
  context: ResourceContext,
): Promise<void> {
  const run = (...words: readonly string[]) => git(context, '-C', path, ...words);
  if (old?.url === undefined) await run('remote', 'add', 'origin', spec.repo);
  else if (old.url !== spec.repo) await run('remote', 'set-url', 'origin', spec.repo);
  const { branch } = remote;
  const source =
    branch === undefined
      ? `+refs/tags/${spec.branch}:refs/tags/${spec.branch}`
      : `+refs/heads/${branch}:refs/remotes/origin/${branch}`;
  await run('fetch', '--quiet', ...depthOf(spec), 'origin', source);
  const force = spec.force ? ['--force'] : [];
  if (branch === undefined) return run('checkout', '--quiet', ...force, '--detach', remote.commit);
  const upstream = `refs/remotes/origin/${branch}`;
  if (spec.force) return run('checkout', '--quiet', '--force', '-B', branch, upstream);
  if (old?.branch !== branch) {
    const known = await runGit(
      ['-C', path, 'rev-parse', '--quiet', '--verify', `refs/heads/${branch}`],
      context,
      transferTimeoutMs,
    );
    const flags = known.exitCode === 0 ? [branch] : ['-b', branch, upstream];
    await run('checkout', '--quiet', ...flags);
  }
  await run('merge', '--quiet', '--ff-only', upstream);
}
