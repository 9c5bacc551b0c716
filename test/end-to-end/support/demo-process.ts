import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { eventually } from './database.ts';

const main = new URL('../../../admin/demo/start.ts', import.meta.url).pathname;
const readyLimitMs = 90_000;
/** Account that owns nothing. */
const nobody = 65534;

/** `npm start` in a directory of its own, from source and without a terminal. */
export class DemoProcess {
  readonly directory: string;
  readonly #child: ChildProcess;
  output = '';

  constructor(directory: string, asNobody = false) {
    this.directory = directory;
    const account = asNobody ? { uid: nobody, gid: nobody } : {};
    const home = asNobody ? { HOME: '/nonexistent' } : {};
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
      cwd: directory,
      env: { ...process.env, ...home, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...account,
    });
    const take = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    this.#child.stdout?.on('data', take);
    this.#child.stderr?.on('data', take);
  }

  get ports(): number[] {
    const line = /agents on port (\d+).*REST on port (\d+)/.exec(this.output);
    return [Number(line?.[1]), Number(line?.[2])];
  }

  get envoyId(): string | undefined {
    return /as envoy ([0-9a-f-]{36})/.exec(this.output)?.[1];
  }

  /** Until the invitation; false when the demo ends before, or never comes so far. */
  async ready(): Promise<boolean> {
    const done = () => this.output.includes('Ctrl-C') || this.#ended;
    return (await eventually(done, readyLimitMs)) && !this.#ended;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** As Ctrl-C does. Resolves with the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    if (this.#ended) return this.#child.exitCode;
    const exit = new Promise<number | null>((resolve) => this.#child.once('close', resolve));
    this.#child.kill(signal);
    return exit;
  }

  /** Processes, by command line, that work in this demo's directory. */
  get left(): string[] {
    return processesOf(this.directory);
  }
}

function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(`${directory}/`));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
