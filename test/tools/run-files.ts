import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type FileResult, TapOutputReader } from './tap-output.ts';

/** After this a file that did not end at its limit is killed with all its children. */
const graceMs = 10_000;

export interface RunOptions {
  readonly directory: string;
  readonly jobs: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What stands before `node <file>`. */
  readonly prefix: readonly string[];
}

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(1);
  });
}

/**
 * Runs each file as `node <file>`, which is all that tap needs. tap's own runner would load its hooks
 * into every process that a test starts; with them vigocli takes three times as long to start.
 */
export async function* runFiles(
  files: readonly string[],
  options: RunOptions,
): AsyncGenerator<FileResult> {
  const waiting = [...files];
  const pending = new Set<Promise<{ result: FileResult; self: () => void }>>();
  const start = (): void => {
    const file = waiting.shift();
    if (file === undefined) return;
    const run = runFile(file, options).then((result) => ({
      result,
      self: () => pending.delete(run),
    }));
    pending.add(run);
  };
  for (let job = 0; job < options.jobs; job += 1) start();
  while (pending.size > 0) {
    const { result, self } = await Promise.race(pending);
    self();
    start();
    yield result;
  }
}

async function runFile(file: string, options: RunOptions): Promise<FileResult> {
  const { directory, timeoutSeconds, environment, prefix } = options;
  const startedMs = performance.now();
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, file];
  const child = spawn(command, rest, {
    cwd: directory,
    env: { ...process.env, ...environment, TAP_TIMEOUT: String(timeoutSeconds) },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that what a hanging test has started ends with it.
    detached: true,
  });
  running.add(child);
  const reader = new TapOutputReader();
  const limit = setTimeout(() => killGroup(child), timeoutSeconds * 1000 + graceMs);
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      if (signal !== null) resolve(`ended by ${signal}`);
      else resolve(code === 0 ? undefined : `ended with ${code}`);
    });
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => reader.line(line));
  const drained = new Promise<void>((resolve) => {
    lines.once('close', resolve);
  });
  const exit = await ended;
  // A process that a test forgot may hold the pipe; it must not hold the run.
  await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 1000))]);
  clearTimeout(limit);
  lines.close();
  running.delete(child);
  return reader.end(file, performance.now() - startedMs, exit);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
