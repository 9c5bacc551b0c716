import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { programDirectory } from '../../../agent/install/layout.ts';
import { bundleAgent } from '../../tools/agent-artefact.ts';
import { TestAgent } from './agent-process.ts';
import { rest } from './rest.ts';
import type { TestServer } from './server-process.ts';

const pollMs = 100;
const patienceMs = 90_000;
/** The version of the bundle that the others are made from. */
const bundledVersion = '0.0.1-template';

/** Builds of the agent that differ in their version, each one file that a machine can install. */
export class Builds {
  readonly #directory: string;
  readonly #bundle: string;

  private constructor(directory: string, bundle: string) {
    this.#directory = directory;
    this.#bundle = bundle;
  }

  static async make(directory: string): Promise<Builds> {
    mkdirSync(directory, { recursive: true });
    return new Builds(directory, await bundleAgent(bundledVersion));
  }

  /** `before`: shell that stands ahead of the agent in its program. */
  program(version: string, before = ''): string {
    const code = join(this.#directory, `agent-${version}.cjs`);
    writeFileSync(code, this.#bundle.replaceAll(bundledVersion, version));
    const program = join(this.#directory, `vigo-${version}`);
    const start = `exec ${process.execPath} ${code} "$@"`;
    writeFileSync(program, `#!/bin/sh\n${before}\n${start}\n`, { mode: 0o755 });
    return program;
  }
}

/** An installed agent under a service manager that starts it again whenever it ends. */
export class UpdatedMachine {
  readonly agent: TestAgent;
  readonly programs: string;
  log = '';
  #child: ChildProcess | undefined;
  #stopped = false;

  constructor(t: { teardown(run: () => void | Promise<void>): void }, hostname: string) {
    this.agent = new TestAgent(t, hostname);
    this.programs = this.agent.at(programDirectory);
    t.teardown(() => this.stop());
  }

  install(version: string, program: string): void {
    mkdirSync(join(this.programs, version), { recursive: true });
    cpSync(program, join(this.programs, version, 'vigo'));
    symlinkSync(version, join(this.programs, 'current'));
  }

  start(): void {
    const { agent } = this;
    const directories = [
      ...['--config-dir', join(agent.directory, 'config')],
      ...['--state-dir', agent.stateDirectory, '--root', agent.at('.')],
    ];
    const child = spawn(join(this.programs, 'current/vigo'), ['daemon', '--json', ...directories], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    child.once('close', () => setTimeout(() => this.#stopped || this.start(), pollMs));
  }

  stop(): void {
    this.#stopped = true;
    const pid = this.#child?.pid;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  /** What `current` names. */
  get current(): string {
    return readlinkSync(join(this.programs, 'current'));
  }
}

/** What the server says of an envoy. */
export interface ListedEnvoy {
  readonly agentVersion: string;
  readonly update?: { readonly version: string; readonly phase: string; readonly code: string };
}

/** Waits until the envoy has told this phase of an update to this version. */
export async function toldUpdate(
  server: TestServer,
  hostname: string,
  phase: string,
  version: string,
): Promise<ListedEnvoy> {
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    const { body } = await rest<ListedEnvoy>(server, 'GET', `/api/v1/envoys/${hostname}`);
    const there = body.update?.phase === phase && body.update.version === version;
    if (there || Date.now() > untilMs) return body;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Sends a program as vigocli does, and makes it a release that the server signs. */
export async function addRelease(
  server: TestServer,
  version: string,
  program: Uint8Array,
): Promise<void> {
  const platform = `${process.platform}-${process.arch}`;
  const data = gzipSync(program).toString('base64');
  const part = { version, platform, offset: 0, data };
  const sent = await rest(server, 'POST', '/api/v1/releases/upload', part);
  const added = await rest(server, 'POST', '/api/v1/releases', { version, platform });
  for (const { status, body } of [sent, added])
    if (status !== 200) throw new Error(JSON.stringify(body));
}

export async function rollOut(
  server: TestServer,
  version: string,
  trialSeconds: number,
): Promise<void> {
  const body = { percent: 100, trialSeconds, trialCheckIns: 2 };
  const path = `/api/v1/releases/${version}/rollout`;
  const answer = await rest(server, 'POST', path, body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}
