import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BenchError } from '../errors.ts';
import type { FleetOptions } from './options.ts';
import { sampleStack } from './sample-stack.ts';

const run = promisify(execFile);
const project = new URL('../..', import.meta.url).pathname;
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const quiet = '--disable-warning=ExperimentalWarning';
const startLimitMs = 30_000;
const stopLimitMs = 30_000;
const outputMax = 64 * 1024 * 1024;

/** The part of GET /api/v1/status that a bench reads. */
export interface ServerFigures {
  readonly shards: readonly {
    readonly sqlStatements: number;
    readonly refusals: Readonly<Record<string, number>>;
  }[];
}

/** A real vigosrv process on loopback with a home of its own. */
export class ServerUnderTest {
  readonly home: string;
  readonly identitiesFile: string;
  readonly #options: FleetOptions;
  #child: ChildProcess | undefined;
  #grpcPort = 0;
  #apiPort = 0;

  constructor(directory: string, options: FleetOptions) {
    this.home = join(directory, 'server');
    this.identitiesFile = join(directory, `identities-${options.envoys}.json`);
    this.#options = options;
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

  /** Makes home, stack and identities. Identities that are there already are used again. */
  async prepare(): Promise<void> {
    mkdirSync(this.home, { recursive: true, mode: 0o700 });
    const shards = this.#options.shards > 0 ? `runtime:\n  shards: ${this.#options.shards}\n` : '';
    const interval = `checkin:\n  interval: ${this.#options.intervalMs}ms\n`;
    writeFileSync(join(this.home, 'server.yaml'), `${interval}${shards}`, { mode: 0o600 });
    await this.#vigosrv('init', '--home', this.home);
    for (const [path, text] of Object.entries(sampleStack)) {
      const file = join(this.home, 'stacks', path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
    }
    if (existsSync(this.identitiesFile)) return;
    const count = String(this.#options.envoys);
    const words = ['--count', count, '--prefix', 'bench-', '--out', this.identitiesFile];
    await this.#vigosrv('provision', '--home', this.home, ...words);
  }

  async start(): Promise<void> {
    const log = openSync(join(this.home, '..', 'vigosrv.log'), 'a', 0o600);
    const listen = ['--grpc-listen', '127.0.0.1:0', '--api-listen', '127.0.0.1:0'];
    const argv = [quiet, this.#program('actors/server/main'), 'start', '--home', this.home];
    this.#child = spawn(process.execPath, [...argv, ...listen], { stdio: ['ignore', log, log] });
    for (let waitedMs = 0; waitedMs < startLimitMs; waitedMs += 50) {
      if (this.#child.exitCode !== null) break;
      if (this.#readPorts()) {
        await this.#publish();
        return;
      }
      await sleep(50);
    }
    throw new BenchError('BENCH_SERVER', `it did not start; see ${this.home}/../vigosrv.log`);
  }

  async figures(): Promise<ServerFigures> {
    return JSON.parse(await this.#rest('GET', '/api/v1/status')) as ServerFigures;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await exited;
    clearTimeout(late);
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

  async #publish(): Promise<void> {
    await this.#rest('POST', '/api/v1/config/publish', { message: 'vigobench' });
  }

  #rest(method: string, path: string, body?: unknown): Promise<string> {
    const token = readFileSync(join(this.home, 'keys/admin-token'), 'utf8').trim();
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.#apiPort,
          method,
          path,
          ca: this.caPem,
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
    return `${project}${path}.${extension}`;
  }

  async #vigosrv(...words: string[]): Promise<void> {
    const argv = [quiet, this.#program('actors/server/main'), ...words];
    try {
      await run(process.execPath, argv, { maxBuffer: outputMax });
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      throw new BenchError('BENCH_SERVER', `vigosrv ${words[0]}: ${stderr ?? String(error)}`);
    }
  }
}
