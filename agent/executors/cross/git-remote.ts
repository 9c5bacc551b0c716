import { AgentError } from '../../errors.ts';
import { causeOf, machineCode, runTool } from '../../platform/command.ts';
import type { Platform, RunResult } from '../../platform/platform.ts';
import type { ResourceContext } from '../contract.ts';

/** What a remote repository offers for a declared branch or tag. */
export interface RemoteHead {
  readonly commit: string;
  /** Undefined when it is a tag. */
  readonly branch: string | undefined;
}

/** So long an answer of a remote counts: passes are far more frequent than commits. */
const freshMs = 300_000;
const cacheLimit = 1000;
const remoteTimeoutMs = 60_000;

interface Cached {
  readonly at: number;
  readonly head: RemoteHead;
}

const caches = new WeakMap<Platform, Map<string, Cached>>();

function cacheOf(platform: Platform): Map<string, Cached> {
  const known = caches.get(platform) ?? new Map<string, Cached>();
  caches.set(platform, known);
  return known;
}

export function forgetRemote(repo: string, branch: string | undefined, platform: Platform): void {
  cacheOf(platform).delete(`${repo} ${branch ?? ''}`);
}

/**
 * Asks the remote, at most every five minutes.
 *
 * @throws {AgentError} AGENT_GIT_REMOTE (blocked), AGENT_GIT_REFERENCE
 */
export async function remoteHead(
  repo: string,
  branch: string | undefined,
  context: ResourceContext,
): Promise<RemoteHead> {
  const { platform } = context;
  const cache = cacheOf(platform);
  const key = `${repo} ${branch ?? ''}`;
  const now = platform.clock.monotonicMs();
  const known = cache.get(key);
  if (known !== undefined && now - known.at < freshMs) return known.head;
  const wanted =
    branch === undefined
      ? ['HEAD']
      : [`refs/heads/${branch}`, `refs/tags/${branch}^{}`, `refs/tags/${branch}`];
  const words = ['ls-remote', '--quiet', '--symref', '--', repo, ...wanted];
  const result = await runGit(words, context, remoteTimeoutMs);
  if (result.exitCode !== 0) throw gitFailure('ls-remote', result);
  const head = parseRemote(result.stdout, branch, wanted);
  if (head === undefined)
    throw new AgentError('AGENT_GIT_REFERENCE', { detail: branch ?? 'the remote is empty' });
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(key, { at: now, head });
  return head;
}

/** Reads "commit<tab>reference" lines, and "ref: refs/heads/x<tab>HEAD" for the default branch. */
export function parseRemote(
  text: string,
  branch: string | undefined,
  wanted: readonly string[],
): RemoteHead | undefined {
  const commits = new Map<string, string>();
  let symbolic: string | undefined;
  for (const line of text.split('\n')) {
    const [left = '', name = ''] = line.split('\t');
    const target = /^ref: refs\/heads\/(.+)$/.exec(left)?.[1];
    if (target !== undefined && name === 'HEAD') symbolic = target;
    else if (/^[0-9a-f]{40,64}$/.test(left)) commits.set(name, left);
  }
  const name = wanted.find((one) => commits.has(one));
  if (name === undefined) return undefined;
  const isBranch = name === 'HEAD' || name.startsWith('refs/heads/');
  return { commit: commits.get(name)!, branch: isBranch ? (branch ?? symbolic) : undefined };
}

/** No question is asked, no hook of the working copy runs, no transport that could run programs. */
const environment = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
  GIT_ALLOW_PROTOCOL: 'file:git:http:https:ssh',
};
const settings = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'];

export function runGit(
  words: readonly string[],
  context: ResourceContext,
  timeoutMs: number,
): Promise<RunResult> {
  const argv = ['git', ...settings, ...words] as const;
  const options = { environment, timeoutMs, signal: context.signal };
  return runTool(context.platform, [argv[0], ...argv.slice(1)], options);
}

export function gitFailure(what: string, result: RunResult): AgentError {
  const detail = `${what}: ${withoutPassword(causeOf(result))}`;
  const around = machineCode(result);
  if (around !== undefined) return new AgentError(around, what);
  if (/would be overwritten|[Nn]ot possible to fast-forward|diverg/.test(result.stderr))
    return new AgentError('AGENT_GIT_LOCAL_CHANGES', { detail });
  const remote =
    /Could not (?:resolve|read from)|unable to access|does not (?:exist|appear)|Connection|not found|timed out|Authentication|could not read/;
  return new AgentError(remote.test(result.stderr) ? 'AGENT_GIT_REMOTE' : 'AGENT_GIT_FAILED', {
    detail,
  });
}

/** A URL may carry a password. */
export function withoutPassword(text: string): string {
  return text.replace(/(\w:\/\/)[^\s/@]*@/g, '$1***@');
}
