import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const project = new URL('../..', import.meta.url).pathname;
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const run = promisify(execFile);
/** The demo writes nothing outside its home, not even into the user's cache. */
const environment = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1', NO_COLOR: '1' };
const stopGraceMs = 10_000;

const mains = {
  vigosrv: 'actors/server/main',
  vigo: 'agent/main',
  vigocli: 'admin/cli/main',
} as const;
export type Program = keyof typeof mains;

function argv(program: Program, rest: readonly string[]): string[] {
  return [
    '--disable-warning=ExperimentalWarning',
    `${project}${mains[program]}.${extension}`,
    ...rest,
  ];
}

/** Runs a program to its end and returns what it printed; rejects with its complaint otherwise. */
export async function call(program: Program, ...rest: string[]): Promise<string> {
  try {
    return (await run(process.execPath, argv(program, rest), { env: environment })).stdout;
  } catch (error) {
    const output = error as { stderr?: string; stdout?: string };
    throw new Error(output.stderr || output.stdout || String(error));
  }
}

/** A program that stays. It has a process group of its own, so that Ctrl-C reaches only the demo. */
export class Resident {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;

  constructor(program: Program, rest: readonly string[], logFile: string) {
    const log = openSync(logFile, 'a', 0o600);
    this.#child = spawn(process.execPath, argv(program, rest), {
      detached: true,
      stdio: ['ignore', log, log],
      env: environment,
    });
    closeSync(log);
    this.exited = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to end, and ends it when it does not. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), stopGraceMs);
    await this.exited;
    clearTimeout(late);
  }
}
