import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Processes, RunRequest, RunResult } from './platform.ts';
import { PlatformError, platformError } from './platform-error.ts';

const defaultOutputLimit = 64 * 1024;
/** From TERM to KILL. */
const killGraceMs = 2_000;
const groupPollMs = 20;
/** How long output is still read after the process ended but something holds the pipe open. */
const pipeGraceMs = 200;
const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const inherited = ['HOME', 'USER', 'LOGNAME', 'LANG', 'TZ'] as const;

export class NodeProcesses implements Processes {
  async run(request: RunRequest): Promise<RunResult> {
    if (request.signal?.aborted) throw new PlatformError('ECANCELED', 'spawn', request.argv[0]);
    if (request.cwd !== undefined && !existsSync(request.cwd))
      throw new PlatformError('ENOENT', 'chdir', request.cwd);
    const child = await start(request);
    if (request.background) {
      child.unref();
      return { ...nothing, exitCode: 0 };
    }
    return new Watch(child, request).result();
  }

  async signal(pid: number, name: string): Promise<boolean> {
    try {
      return process.kill(pid, `SIG${name}` as NodeJS.Signals);
    } catch (thrown) {
      const error = platformError('kill', String(pid), thrown);
      if (error.code === 'ESRCH') return false;
      throw error;
    }
  }
}

const nothing: RunResult = {
  exitCode: -1,
  signal: undefined,
  stdout: '',
  stderr: '',
  timedOut: false,
  truncated: false,
};

/** Resolves once the program runs: Node reports a failed exec before the event "spawn". */
function start(request: RunRequest): Promise<ChildProcess> {
  const [program, ...rest] = withPriority(request);
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown) => reject(platformError('spawn', request.argv[0], thrown));
    try {
      const output = request.background ? 'ignore' : 'pipe';
      const child = spawn(program, rest, {
        detached: true,
        stdio: [request.stdin === undefined ? 'ignore' : 'pipe', output, output],
        env: environment(request.environment),
        ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
      });
      child.once('error', fail);
      child.once('spawn', () => resolve(child));
      // The program may end without reading its input; that is its own business.
      child.stdin?.on('error', () => {});
      child.stdin?.end(request.stdin);
    } catch (thrown) {
      fail(thrown);
    }
  });
}

function withPriority(request: RunRequest): [string, ...string[]] {
  if (request.nice === undefined || request.nice <= 0) return [...request.argv];
  const disk = request.nice >= 15 ? ['-c', '3'] : ['-c', '2', '-n', '7'];
  const ionice = existsSync('/usr/bin/ionice') ? ['/usr/bin/ionice', ...disk] : [];
  return ['nice', '-n', String(request.nice), ...ionice, ...request.argv];
}

function environment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const base: Record<string, string> = { PATH: process.env.PATH ?? standardPath };
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) base[name] = value;
  }
  return { ...base, ...added };
}

/** Follows one process group to its end. */
class Watch {
  readonly #child: ChildProcess;
  readonly #request: RunRequest;
  readonly #stdout: BoundedOutput;
  readonly #stderr: BoundedOutput;
  #stopped: 'limit' | 'abort' | undefined;

  constructor(child: ChildProcess, request: RunRequest) {
    this.#child = child;
    this.#request = request;
    const limit = request.outputLimit ?? defaultOutputLimit;
    this.#stdout = new BoundedOutput(limit, child.stdout);
    this.#stderr = new BoundedOutput(limit, child.stderr);
  }

  async result(): Promise<RunResult> {
    const { signal, timeoutMs } = this.#request;
    const limit = setTimeout(() => this.#stop('limit'), timeoutMs);
    const onAbort = () => this.#stop('abort');
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      const ended = await this.#ended();
      if (this.#stopped !== undefined) await this.#groupGone();
      await this.#outputEnd();
      if (this.#stopped === 'abort')
        throw new PlatformError('ECANCELED', 'run', this.#request.argv[0]);
      return {
        ...ended,
        stdout: this.#stdout.text(),
        stderr: this.#stderr.text(),
        timedOut: this.#stopped === 'limit',
        truncated: this.#stdout.truncated || this.#stderr.truncated,
      };
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #ended(): Promise<{ exitCode: number; signal: string | undefined }> {
    const child = this.#child;
    return new Promise((resolve) => {
      const settle = (code: number | null, signal: string | null) =>
        resolve({ exitCode: code ?? -1, signal: signal ?? undefined });
      if (child.exitCode !== null || child.signalCode !== null)
        settle(child.exitCode, child.signalCode);
      else child.once('exit', settle);
    });
  }

  #stop(why: 'limit' | 'abort'): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    signalGroup(this.#child, 'SIGTERM');
    // A stopped process (SIGSTOP) sees TERM only when it continues.
    signalGroup(this.#child, 'SIGCONT');
    const kill = setTimeout(() => signalGroup(this.#child, 'SIGKILL'), killGraceMs);
    this.#child.once('exit', () => clearTimeout(kill));
  }

  /** The leader is gone; others of its group may have ignored TERM. */
  async #groupGone(): Promise<void> {
    for (let waited = 0; waited < killGraceMs; waited += groupPollMs) {
      if (!signalGroup(this.#child, 0)) return;
      await pause(groupPollMs);
    }
    signalGroup(this.#child, 'SIGKILL');
  }

  async #outputEnd(): Promise<void> {
    const both = Promise.all([this.#stdout.ended, this.#stderr.ended]);
    const patience = new AbortController();
    await Promise.race([both, pause(pipeGraceMs, patience.signal)]);
    patience.abort();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }
}

/** Keeps the first bytes and reads on, so that the writer is never held up. */
class BoundedOutput {
  readonly ended: Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  #room: number;
  truncated = false;

  constructor(limit: number, stream: ChildProcess['stdout']) {
    this.#room = limit;
    this.ended = new Promise((resolve) => {
      if (stream === null) return resolve();
      stream.on('data', (chunk: Uint8Array) => this.#add(chunk));
      stream.once('close', () => resolve());
      stream.once('error', () => resolve());
    });
  }

  #add(chunk: Uint8Array): void {
    const kept = chunk.subarray(0, this.#room);
    if (kept.length < chunk.length) this.truncated = true;
    if (kept.length > 0) this.#chunks.push(kept);
    this.#room -= kept.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** False when no process of the group is left. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch (thrown) {
    return platformError('kill', undefined, thrown).code === 'EPERM';
  }
}

function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
