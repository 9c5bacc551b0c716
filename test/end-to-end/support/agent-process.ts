import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { versionAgeLimitMs } from '../../../actors/envoy/policy-view.ts';
import { programFile } from '../../support/program.ts';
import { eventually } from './database.ts';
import { rest } from './rest.ts';
import type { TestServer } from './server-process.ts';

const main = programFile('agent/main');
const outputLimit = 2_000_000;
/** Beyond the age that a shard's view of the policy may have. */
const shardDelayMs = 100;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly code?: string;
  readonly traceId?: string;
}

/** A machine: directories of its own and the `vigo` processes that work on them. */
export class TestAgent {
  readonly directory: string;
  readonly hostname: string;
  envoyId = '';
  daemon: ChildProcess | undefined;
  /** Standard error of all daemons. */
  log = '';

  constructor(t: { teardown(run: () => void | Promise<void>): void }, hostname = 'web-1') {
    this.hostname = hostname;
    this.directory = mkdtempSync(join(tmpdir(), 'vigo-agent-'));
    for (const name of ['config', 'state', 'root']) mkdirSync(join(this.directory, name));
    t.teardown(async () => {
      await this.end('SIGKILL');
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  /** A path beneath the root that the agent takes for "/". */
  at(path: string): string {
    return join(this.directory, 'root', path);
  }

  /** The content of a managed file; undefined when it is not there. */
  read(path: string): string | undefined {
    return existsSync(this.at(path)) ? readFileSync(this.at(path), 'utf8') : undefined;
  }

  #arguments(rest: readonly string[]): string[] {
    const { directory } = this;
    return [
      '--disable-warning=ExperimentalWarning',
      main,
      ...rest,
      ...['--config-dir', join(directory, 'config'), '--state-dir', this.stateDirectory],
      ...['--root', join(directory, 'root')],
    ];
  }

  /** Runs `vigo` to its end. */
  vigo(...rest: string[]): Promise<Ended> {
    const child = spawn(process.execPath, this.#arguments(rest));
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    return new Promise((resolve) =>
      child.once('close', (code) => resolve({ code, stdout, stderr })),
    );
  }

  /** Registers with a token of its own; `extra` options go to `vigo register`. */
  async enroll(server: TestServer, ...extra: string[]): Promise<void> {
    const token = await makeToken(server, [this.hostname]);
    const ended = await this.register(server, token, ...extra);
    if (ended.code !== 0) throw new Error(`vigo register: ${ended.stderr}`);
    this.envoyId = (JSON.parse(ended.stdout) as { envoyId: string }).envoyId;
  }

  register(server: TestServer, token: string, ...extra: string[]): Promise<Ended> {
    const where = ['--server', `localhost:${server.run?.grpcPort}`];
    const who = ['--token', token, '--hostname', this.hostname, '--json'];
    return this.vigo('register', ...where, ...who, ...extra);
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse((await this.vigo('status', '--json')).stdout) as AgentStatus;
  }

  /** Starts `vigo daemon`. */
  start(...extra: string[]): void {
    const child = spawn(process.execPath, this.#arguments(['daemon', '--json', ...extra]), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.log = (this.log + chunk.toString()).slice(-outputLimit);
    });
    this.daemon = child;
  }

  /** Ends the daemon; resolves with its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.daemon;
    this.daemon = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return Promise.resolve(child?.exitCode ?? null);
    return new Promise((resolve) => {
      child.once('close', (code) => resolve(code));
      child.kill(signal);
    });
  }

  lines(): LogLine[] {
    const whole = this.log.slice(0, this.log.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Deletes a managed file and waits until the agent has put it back. */
  async repairs(path: string): Promise<boolean> {
    rmSync(this.at(path), { force: true });
    return await eventually(() => existsSync(this.at(path)));
  }
}

/** What `vigo status --json` tells, as far as the tests look at it. */
export interface AgentStatus {
  readonly envoyId?: string;
  readonly pendingResults: number;
  readonly contactFailure?: string;
  readonly policyProblem?: string;
  readonly auditLog?: { readonly entries: number; readonly conflict?: { readonly code: string } };
  readonly policy?: { readonly version: number; readonly expired: boolean };
  readonly lastRun?: {
    readonly offline: boolean;
    readonly resources: readonly { readonly id: string; readonly action: string }[];
  };
}

export async function makeToken(
  server: TestServer,
  match: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await rest<{ token: string }>(server, 'POST', '/api/v1/tokens', {
    match,
    ...more,
  });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body.token;
}

/** Writes files into the server's stack directory, replacing what was there. */
export function writeStack(server: TestServer, files: Readonly<Record<string, string>>): void {
  const { stacksDirectory } = server.home.layout;
  for (const name of ['modules', 'envoys'])
    rmSync(join(stacksDirectory, name), { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(stacksDirectory, path)), { recursive: true });
    writeFileSync(join(stacksDirectory, path), text);
  }
}

/** A stack for every host: one module `m` whose resources are `text`. */
export function stackOf(text: string): Record<string, string> {
  return {
    'modules/m.vgo': `name: m\nresources:\n${text}`,
    'envoys/all.vgo': '- match: "*"\n  modules: [m]\n',
  };
}

/** Declares files: absolute path to content. */
export function filesStack(files: Readonly<Record<string, string>>): Record<string, string> {
  const resources = Object.entries(files).map(
    ([path, content], index) =>
      `  - name: f${index}\n    type: file\n    target_path: ${path}\n    content: ${JSON.stringify(content)}\n`,
  );
  return stackOf(resources.join(''));
}

/** Publishes and returns the version, once every shard answers by it; throws with the problem. */
export async function publish(
  server: TestServer,
  files: Readonly<Record<string, string>>,
): Promise<number> {
  writeStack(server, files);
  const answer = await rest<{ version: number }>(server, 'POST', '/api/v1/config/publish', {});
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  await setTimeout(versionAgeLimitMs + shardDelayMs);
  return answer.body.version;
}
