import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineEnvironment } from '../../../actors/server/home/environment.ts';
import { openHome, type ServerHome } from '../../../actors/server/home/home.ts';
import { homeLayout } from '../../../actors/server/home/layout.ts';
import { type RunFile, removeRunFile } from '../../../actors/server/run-file.ts';
import { SinkWriter } from '../../../actors/sink/writer.ts';
import { generateKeyPem, pemSigner } from '../../../agent/platform/crypto.ts';
import { makeUuid, uuidToText } from '../../../agent/protocol/uuid.ts';
import { programFile } from '../../support/program.ts';
import { TestEnvoy } from '../../support/test-envoy.ts';

const main = programFile('actors/server/main');
const readyLimitMs = 120_000;
const pollMs = 5;
const certificateValidityMs = 86_400_000;
const clock = { nowMs: () => Date.now() };
const random = { bytes: (length: number) => randomBytes(length) };

export interface ServerFlags {
  readonly interval?: string;
  readonly shards?: number;
  readonly grpcPort?: number;
  readonly nodeFlags?: readonly string[];
  /** Keys of server.yaml, "database.runs_per_envoy=5". */
  readonly set?: readonly string[];
}

/** A server home in a directory of its own, and the process that serves it. */
export class TestServer {
  readonly directory: string;
  readonly home: ServerHome;
  readonly flags: ServerFlags;
  process: ChildProcess | undefined;
  run: RunFile | undefined;
  output = '';

  private constructor(directory: string, home: ServerHome, flags: ServerFlags) {
    this.directory = directory;
    this.home = home;
    this.flags = flags;
  }

  static async make(
    t: { teardown(run: () => void | Promise<void>): void },
    flags: ServerFlags = {},
  ): Promise<TestServer> {
    const directory = mkdtempSync(join(tmpdir(), 'vigo-e2e-'));
    const environment = machineEnvironment(clock, random);
    const home = await openHome({ home: directory, create: true }, environment);
    const server = new TestServer(directory, home, flags);
    t.teardown(async () => {
      await server.kill();
      rmSync(directory, { recursive: true, force: true });
    });
    return server;
  }

  /** Machines that are known to the server before it starts: host-0, host-1 and so on. */
  async provision(count: number, prefix = 'host'): Promise<TestEnvoy[]> {
    const { layout, config, certificateAuthority } = this.home;
    const { runsPerEnvoy } = config.database;
    const writer = new SinkWriter({ file: layout.database, runsPerEnvoy });
    const made = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const key = generateKeyPem();
        const { publicKey } = pemSigner(key);
        const envoyId = uuidToText(makeUuid(randomBytes(16)));
        const grant = { envoyId, validityMs: certificateValidityMs };
        const { der, serial, issuedAtMs, endsAtMs } = await certificateAuthority.issueEnvoy(
          publicKey,
          grant,
        );
        const identity = {
          envoyId,
          hostname: `${prefix}-${index}`,
          publicKey,
          revoked: false,
          enrolledAtMs: Date.now(),
          settledReportSequence: 0,
        };
        const record = {
          record: 'envoy' as const,
          identity,
          agentVersion: '0.1.0',
          certificateSerial: serial,
          certificateIssuedMs: issuedAtMs,
          certificateEndsMs: endsAtMs,
        };
        const files = {
          authority: certificateAuthority.certificatePem,
          certificate: pem(der),
          key,
        };
        return { record, envoy: new TestEnvoy(envoyId, this.run?.grpcPort ?? 0, files) };
      }),
    );
    await writer.provision(
      made.map(({ record }) => record),
      [],
    );
    writer.close();
    return made.map(({ envoy }) => envoy);
  }

  /** Starts the process and waits until it says that it is ready. */
  async start(): Promise<RunFile> {
    const { interval = '5s', shards = 2, grpcPort = 0, nodeFlags = [], set = [] } = this.flags;
    removeRunFile(this.home.layout);
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        ...nodeFlags,
        main,
        'start',
        ...['--home', this.directory],
        ...['--grpc-listen', `127.0.0.1:${grpcPort}`],
        ...['--api-listen', '127.0.0.1:0'],
        ...['--shards', String(shards)],
        ...['--interval', interval],
        ...set.flatMap((pair) => ['--set', pair]),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.directory },
    );
    this.process = child;
    const take = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    this.run = await this.#ready(child);
    return this.run;
  }

  async #ready(child: ChildProcess): Promise<RunFile> {
    const { runFile } = homeLayout(this.directory);
    const untilMs = Date.now() + readyLimitMs;
    while (Date.now() < untilMs && child.exitCode === null && child.signalCode === null) {
      if (existsSync(runFile)) {
        const run = JSON.parse(readFileSync(runFile, 'utf8')) as RunFile;
        if (run.pid === child.pid) return run;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new Error(`the server did not start:\n${this.output}`);
  }

  /** Ends the process as a power cut would, for the process. */
  kill(): Promise<void> {
    return this.signal('SIGKILL').then(() => undefined);
  }

  /** Resolves with the exit code when the process has ended. */
  async signal(name: NodeJS.Signals): Promise<number | null> {
    const child = this.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return child?.exitCode ?? null;
    }
    return await new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.kill(name);
    });
  }
}

function pem(der: Uint8Array): string {
  const body = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}
