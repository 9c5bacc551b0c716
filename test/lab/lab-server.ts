import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Page, RunDetailView, RunView } from '../../admin/api/backend.ts';
import { programFile } from '../support/program.ts';
import type { RunOutcome } from './execute.ts';
import { type Lab, serverAddress } from './lab.ts';
import { Rest } from './rest.ts';

const run = promisify(execFile);
const quiet = '--disable-warning=ExperimentalWarning';
const readyLimitMs = 120_000;
const outputLimit = 20_000;
const answerLimit = 32 * 1024 * 1024;
const standardPort = 1530;

export interface EnvoyShown {
  readonly id: string;
  readonly state: string;
  readonly lastSeenMs: number;
  readonly policyVersion: number;
}

/** A `vigosrv` that the lab's hosts can reach, and the `vigocli` of its administrator. */
export class LabServer {
  readonly home = mkdtempSync(join(tmpdir(), 'vigo-lab-home-'));
  /** Where envoys reach it, at the lab's server address. */
  readonly port: number;
  readonly #namespace: string;
  readonly #process: ChildProcess;
  #output = '';
  #rest: Rest | undefined;

  private constructor(namespace: string, interval: string, port: number) {
    this.port = port;
    this.#namespace = namespace;
    const words = [
      ...['netns', 'exec', namespace, process.execPath, quiet],
      ...[programFile('actors/server/main'), 'start', '--home', this.home],
      ...['--grpc-listen', `${serverAddress}:${port}`, '--api-listen', ':0'],
      ...['--shards', '1', '--interval', interval],
    ];
    this.#process = spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const take = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-outputLimit);
    };
    this.#process.stdout?.on('data', take);
    this.#process.stderr?.on('data', take);
  }

  /** Its home is made by this first start, inside the lab's network. */
  static async start(lab: Lab, interval: string, port = standardPort): Promise<LabServer> {
    const server = new LabServer(lab.namespace, interval, port);
    const untilMs = Date.now() + readyLimitMs;
    while (!server.#ready()) {
      if (server.#process.exitCode !== null || Date.now() > untilMs)
        throw new Error(`the server did not start:\n${server.#output}`);
      await pause();
    }
    return server;
  }

  #ready(): boolean {
    try {
      const file = JSON.parse(readFileSync(join(this.home, 'run.json'), 'utf8')) as { pid: number };
      return file.pid === this.#process.pid;
    } catch {
      return false;
    }
  }

  /** A `vigocli` command, however it ends. */
  async run(...words: string[]): Promise<RunOutcome> {
    const argv = [
      ...['netns', 'exec', this.#namespace, process.execPath, quiet],
      ...[programFile('admin/cli/main'), '--home', this.home, ...words],
    ];
    try {
      return { exitCode: 0, ...(await run('ip', argv, { maxBuffer: answerLimit })) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { exitCode: code, stdout, stderr };
    }
  }

  /** Standard output of a `vigocli` command as a person gets it; any exit code but 0 throws. */
  async cli(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...words);
    if (exitCode === 0) return stdout;
    throw new Error(`vigocli ${words.join(' ')}: exit code ${exitCode}\n${stdout}${stderr}`);
  }

  async json<T>(...words: string[]): Promise<T> {
    return JSON.parse(await this.cli('--json', ...words)) as T;
  }

  /** An answer of the REST API. */
  get<T>(path: string): Promise<T> {
    this.#rest ??= new Rest(this.#namespace, this.home);
    return this.#rest.get<T>(`/api/v1/${path}`);
  }

  /** Newest first. */
  async runs(envoy: string): Promise<readonly RunView[]> {
    return (await this.get<Page<RunView>>(`runs?limit=100&envoy=${envoy}`)).items;
  }

  show(run: RunView): Promise<RunDetailView> {
    return this.get<RunDetailView>(`runs/${run.id}`);
  }

  envoy(name: string): Promise<EnvoyShown> {
    return this.get<EnvoyShown>(`envoys/${name}`);
  }

  /** Where the server's own stack lies. */
  stack(): string {
    return join(this.home, 'stacks');
  }

  /** Writes the files into the stack. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.stack(), path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  /** Writes the files into the stack and publishes it. */
  async publish(files: Readonly<Record<string, string>>): Promise<void> {
    this.write(files);
    await this.cli('config', 'publish', '-m', 'a test');
  }

  /** Resolves with the exit code of an orderly stop, and what the server said. */
  async stop(): Promise<{ readonly exitCode: number | null; readonly output: string }> {
    this.#rest?.stop();
    const child = this.#process;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.home, { recursive: true, force: true });
    return { exitCode: child.exitCode, output: this.#output };
  }
}

export async function pause(delayMs = 50): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Waits until the answer is there; the time is only an upper limit. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limitMs = 60_000,
): Promise<T> {
  const untilMs = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > untilMs) throw new Error(`never: ${what}`);
    await pause();
  }
}
