import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BenchError } from '../errors.ts';
import { sampleStack } from './sample-stack.ts';

const run = promisify(execFile);
const project = new URL('../..', import.meta.url).pathname;
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const quiet = '--disable-warning=ExperimentalWarning';
const startLimitMs = 30_000;
const stopLimitMs = 30_000;
const pollMs = 5;
const outputMax = 64 * 1024 * 1024;
/** Bytes of the log's end that an error shows. */
const logTailBytes = 2000;

export interface ServerUnderTestOptions {
  readonly envoys: number;
  readonly intervalMs: number;
  /** Fleet shards; 0 = the server's default. */
  readonly shards: number;
  /** Of Node.js, for the server's process and its threads. */
  readonly nodeFlags?: readonly string[];
  /** Compile anew at each start, instead of writing compiled code to the home after five seconds: that
   * is half a second of each thread, which would fall into somebody's window. */
  readonly compileAnew?: boolean;
  /** Further lines of server.yaml. */
  readonly settings?: string;
  /** Where the server's programs are; default: beside this module. */
  readonly programs?: { readonly root: string; readonly extension: 'ts' | 'js' };
}

/** The part of GET /api/v1/status that a bench reads. */
export interface ServerFigures {
  readonly shards: readonly ShardFigures[];
  readonly policyVersion?: number;
  /** What the database does not have yet, as the thread that writes it knows. */
  readonly sink?: { readonly waitingEvents: number };
  /** The thread that writes the database; utilization since the last reading, 0 to 1. */
  readonly service?: { readonly figures: { readonly utilization: number } };
}

export interface ShardFigures {
  readonly thread: string;
  readonly checkIns: number;
  readonly sqlStatements: number;
  readonly sqlDriverLoaded: boolean;
  /** Events that the database does not have yet. */
  readonly outboxEntries: number;
  readonly refusals?: Readonly<Record<string, number>>;
  readonly store?: { readonly usedBytes: number };
  readonly figures?: { readonly heapUsedBytes: number; readonly externalBytes: number };
}

/** What the launcher actors/server/bin/vigosrv gives Node on a machine with so many cores. */
export function launcherFlags(cores: number): string[] {
  return cores < 4 ? ['--v8-pool-size=1'] : [];
}

/** A real vigosrv process on loopback with a home of its own. */
export class ServerUnderTest {
  readonly home: string;
  readonly identitiesFile: string;
  readonly #options: ServerUnderTestOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #logFile: string;
  #child: ChildProcess | undefined;
  #grpcPort = 0;
  #apiPort = 0;

  /** `signal` ends the helpers that make the home; the server itself ends by `stop`. */
  constructor(directory: string, options: ServerUnderTestOptions, signal?: AbortSignal) {
    this.home = join(directory, 'server');
    this.identitiesFile = join(directory, `identities-${options.envoys}.json`);
    this.#logFile = join(directory, 'vigosrv.log');
    this.#options = options;
    this.#signal = signal;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get grpcPort(): number {
    return this.#grpcPort;
  }

  get caPem(): string {
    return readFileSync(join(this.home, 'tls/ca.cert.pem'), 'utf8');
  }

  get databaseFile(): string {
    return join(this.home, 'db/vigo.db');
  }

  /** Makes home, stack and identities. Identities that are there already are used again. */
  async prepare(): Promise<void> {
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    const { shards, intervalMs, settings = '' } = this.#options;
    const ownShards = shards > 0 ? `runtime:\n  shards: ${shards}\n` : '';
    const interval = `checkin:\n  interval: ${intervalMs}ms\n`;
    const text = `${interval}${ownShards}${settings}`;
    writeFileSync(join(this.home, 'server.yaml'), text, { mode: 0o600 });
    await this.#vigosrv('init', '--home', this.home);
    for (const [path, content] of Object.entries(sampleStack)) {
      const file = join(this.home, 'stacks', path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, content);
    }
    if (existsSync(this.identitiesFile)) return;
    const count = String(this.#options.envoys);
    const words = ['--count', count, '--prefix', 'bench-', '--out', this.identitiesFile];
    await this.#vigosrv('provision', '--home', this.home, ...words);
  }

  /** Starts the process; resolves when it serves. A port of before is taken again. */
  async start(): Promise<void> {
    this.launch();
    await this.serving();
  }

  /** Starts the process and returns at once. */
  launch(): void {
    const log = openSync(this.#logFile, 'a', 0o600);
    const listen = ['--grpc-listen', `127.0.0.1:${this.#grpcPort}`];
    const { nodeFlags = [] } = this.#options;
    const main = this.#program('actors/server/main');
    const flags = [...launcherFlags(availableParallelism()), quiet, ...nodeFlags];
    const argv = [...flags, main, 'start', '--home', this.home];
    const child = spawn(
      process.execPath,
      [...argv, ...listen, '--api-listen', '127.0.0.1:0'],
      // Its own process group: Ctrl-C reaches it through us alone, once.
      { stdio: ['ignore', log, log], detached: true, env: this.#environment() },
    );
    closeSync(log);
    this.#child = child;
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
  }

  async serving(): Promise<void> {
    for (const untilMs = performance.now() + startLimitMs; performance.now() < untilMs; ) {
      this.#signal?.throwIfAborted();
      this.check();
      if (this.#readPorts()) return;
      await sleep(pollMs);
    }
    throw this.#failure('it did not start in time');
  }

  /** Throws when the process has ended by itself. */
  check(): void {
    const child = this.#child;
    if (!child || (child.exitCode === null && child.signalCode === null)) return;
    throw this.#failure(`it ended with ${child.exitCode ?? child.signalCode}`);
  }

  async publish(): Promise<void> {
    await this.#rest('POST', '/api/v1/config/publish', { message: 'vigobench' });
  }

  async figures(): Promise<ServerFigures> {
    return JSON.parse(await this.#rest('GET', '/api/v1/status')) as ServerFigures;
  }

  async policyVersion(): Promise<number> {
    return (await this.figures()).policyVersion ?? 0;
  }

  /** Has every connected envoy dry-run the stack as it is now; `waitMs`: how long answers count. */
  async plan(waitMs: number): Promise<{ readonly id: string; readonly asked: number }> {
    const answer = await this.#rest('POST', '/api/v1/config/plans', { live: { waitMs } });
    return JSON.parse(answer) as { id: string; asked: number };
  }

  /** How many envoys a plan has answers of. */
  async planAnswers(id: string): Promise<number> {
    const answer = await this.#rest('GET', `/api/v1/config/plans/${id}`);
    return (JSON.parse(answer) as { live?: { answered: number } }).live?.answered ?? 0;
  }

  /** Another policy for every envoy, to be published. */
  changeStack(version: number): void {
    for (const [path, content] of Object.entries(sampleStack)) {
      const changed = content.replaceAll('1024', String(1024 + version));
      writeFileSync(join(this.home, 'stacks', path), changed);
    }
  }

  /** True when the database has every event. */
  async drained(): Promise<boolean> {
    const { shards } = await this.figures();
    return shards.length > 0 && shards.every(({ outboxEntries }) => outboxEntries === 0);
  }

  /** Where people connect, and how they are known. */
  get api(): { readonly port: number; readonly caPem: string; readonly token: string } {
    const token = readFileSync(join(this.home, 'keys/admin-token'), 'utf8').trim();
    return { port: this.#apiPort, caPem: this.caPem, token };
  }

  /** A credential for one who only looks. */
  async viewerToken(name: string): Promise<string> {
    const answer = await this.#rest('POST', '/api/v1/auth/tokens', { name, role: 'viewer' });
    return (JSON.parse(answer) as { token: string }).token;
  }

  /** In order, or by force when that takes too long. */
  async stop(): Promise<void> {
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), stopLimitMs);
    await this.#end('SIGTERM');
    clearTimeout(late);
  }

  /** As a power cut would end it, for the process. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }

  #environment(): NodeJS.ProcessEnv {
    if (this.#options.compileAnew !== true) return process.env;
    return { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  }

  #failure(what: string): BenchError {
    const log = existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8').trim() : '';
    const tail = log.length > logTailBytes ? `...${log.slice(-logTailBytes)}` : log;
    return new BenchError('BENCH_SERVER', tail === '' ? what : `${what}. Its log:\n${tail}`);
  }

  #readPorts(): boolean {
    try {
      const text = readFileSync(join(this.home, 'run.json'), 'utf8');
      const ports = JSON.parse(text) as { pid: number; grpcPort: number; apiPort: number };
      if (ports.pid !== this.pid) return false;
      this.#grpcPort = ports.grpcPort;
      this.#apiPort = ports.apiPort;
      return true;
    } catch {
      return false;
    }
  }

  #rest(method: string, path: string, body?: unknown): Promise<string> {
    const { token, caPem } = this.api;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.#apiPort,
          method,
          path,
          ca: caPem,
          agent: false,
          headers: { authorization: `Bearer ${token}` },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if (incoming.statusCode === 200) resolve(text);
            else reject(new BenchError('BENCH_SERVER', `${method} ${path}: ${text}`));
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #program(path: string): string {
    const { root, extension: ending } = this.#options.programs ?? { root: project, extension };
    return `${join(root, path)}.${ending}`;
  }

  async #vigosrv(...words: string[]): Promise<void> {
    const argv = [quiet, this.#program('actors/server/main'), ...words];
    try {
      const signal = this.#signal ? { signal: this.#signal } : {};
      await run(process.execPath, argv, { maxBuffer: outputMax, ...signal });
    } catch (error) {
      this.#signal?.throwIfAborted();
      const { stderr } = error as { stderr?: string };
      throw new BenchError(
        'BENCH_SERVER',
        `vigosrv ${words[0]}: ${stderr?.trim() ?? String(error)}`,
      );
    }
  }
}
