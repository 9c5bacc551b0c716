import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Page, RunDetailView, RunView } from '../api/backend.ts';
import { Client } from '../cli/client.ts';
import { connectionOf } from '../cli/connection.ts';
import { printable } from '../cli/table.ts';
import { plural } from '../cli/words.ts';
import { freePort } from './free-port.ts';
import type { DemoLayout } from './layout.ts';
import { call, Resident } from './programs.ts';
import type { Screen } from './screen.ts';

const intervalSeconds = 5;
const startLimitMs = 30_000;
const pollMs = 500;
const grpcPortPreferred = 1530;
const apiPortPreferred = 8443;
const listedFilesMax = 40;
/** Actions that are no news to somebody who watches. */
const quietActions = new Set(['none', 'skipped']);
const sampleStack = new URL('stack', import.meta.url).pathname;

/** The main job in one process tree: server, agent, sample stack, and a watch on what they do. */
export class Demo {
  readonly layout: DemoLayout;
  readonly #screen: Screen;
  #server: Resident | undefined;
  #agent: Resident | undefined;
  #client: Client | undefined;
  #seenRuns = new Set<string>();

  constructor(layout: DemoLayout, screen: Screen) {
    this.layout = layout;
    this.#screen = screen;
  }

  async start(signal: AbortSignal): Promise<void> {
    const screen = this.#screen;
    screen.line(
      styleText('bold', '\nVigo keeps machines in the state that their owners declared.\n'),
    );
    const again = existsSync(join(this.layout.server, 'keys'));
    await screen.step(
      again ? 'reading the demo home' : 'making a demo home',
      () => this.#prepareHome(),
      () =>
        `${again ? 'home of an earlier demo' : 'demo home'} in ${this.#short(this.layout.top)}/`,
    );
    const ports = await screen.step(
      'starting vigosrv',
      () => this.#startServer(signal),
      ({ grpc, api }) =>
        `vigosrv runs: agents on port ${grpc} (gRPC, mutual TLS 1.3), REST on port ${api}`,
    );
    await screen.step(
      'publishing the sample stack',
      () => this.#publish(),
      (text) => text,
    );
    signal.throwIfAborted();
    await screen.step(
      'enrolling this machine as an envoy',
      () => this.#enroll(ports.grpc),
      (text) => text,
    );
    await screen.step(
      'starting the agent and waiting for the first convergence',
      () => this.#startAgent(signal),
      (run) => `first convergence: ${describeRun(run)}`,
    );
    this.#invite(ports.api);
  }

  /** Prints every run that repairs something, until the signal. */
  async watch(signal: AbortSignal): Promise<void> {
    const died = Promise.race([
      this.#server?.exited.then((code) => `vigosrv ended with ${code}`),
      this.#agent?.exited.then((code) => `vigo ended with ${code}`),
    ]);
    while (!signal.aborted) {
      const ended = await Promise.race([
        died,
        sleep(pollMs, undefined, { signal }).catch(() => ''),
      ]);
      if (signal.aborted) return;
      if (ended) throw new Error(ended);
      for (const run of await this.#newRuns()) this.#printRepairs(run);
    }
  }

  async stop(): Promise<void> {
    if (!this.#server && !this.#agent) return;
    this.#screen.line();
    await this.#screen.step(
      'stopping the agent and the server',
      async () => {
        await this.#agent?.stop();
        await this.#server?.stop();
      },
      () => 'stopped; nothing is left running',
    );
    const top = this.#short(this.layout.top);
    this.#screen.line(`  Start again to go on from here, or remove ${top}/ to begin anew.`);
  }

  async #prepareHome(): Promise<void> {
    const { server, agentConfig, agentState, root, top } = this.layout;
    for (const directory of [top, server, agentConfig, agentState, root]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    const stacks = join(server, 'stacks');
    if (!existsSync(stacks)) cpSync(sampleStack, stacks, { recursive: true });
    const configuration = join(server, 'server.yaml');
    if (existsSync(configuration)) return;
    const text = `# The demo's server. All keys: vigosrv config-reference\ncheckin:\n  interval: ${intervalSeconds}s\n`;
    writeFileSync(configuration, text, { mode: 0o600 });
  }

  async #startServer(signal: AbortSignal): Promise<{ grpc: number; api: number }> {
    const grpc = await freePort(grpcPortPreferred);
    const api = await freePort(apiPortPreferred);
    const listen = (port: number) => `127.0.0.1:${port}`;
    const { server, serverLog } = this.layout;
    const flags = ['--grpc-listen', listen(grpc), '--api-listen', listen(api)];
    this.#server = new Resident('vigosrv', ['start', '--home', server, ...flags], serverLog);
    await this.#until(signal, 'vigosrv', this.#server, async () => {
      if (!existsSync(join(server, 'run.json'))) return undefined;
      this.#client = new Client(connectionOf({ home: server }, {}));
      return this.#client.get('/healthz').catch(() => undefined);
    });
    return { grpc, api };
  }

  async #publish(): Promise<string> {
    const words = await call('vigocli', '--home', this.layout.server, 'config', 'publish');
    return words.trim();
  }

  async #enroll(grpcPort: number): Promise<string> {
    const { agentConfig, agentState, root, server } = this.layout;
    const where = ['--config-dir', agentConfig, '--state-dir', agentState, '--root', root];
    const target = ['--server', `localhost:${grpcPort}`];
    if (existsSync(join(agentConfig, 'identity.key'))) {
      const status = JSON.parse(await call('vigo', 'status', '--json', ...where)) as {
        envoyId?: string;
      };
      if (status.envoyId) return `enrolled before, as envoy ${status.envoyId}`;
    }
    const created = await call(
      'vigocli',
      '--home',
      server,
      '--json',
      'tokens',
      'create',
      '--match',
      '*',
    );
    const { token } = JSON.parse(created) as { token: string };
    const words = await call('vigo', 'register', ...target, '--token', token, ...where);
    return words.trim().split('\n')[0] ?? 'enrolled';
  }

  async #startAgent(signal: AbortSignal): Promise<RunDetailView> {
    const { agentConfig, agentState, root, agentLog } = this.layout;
    for (const run of await this.#newRuns()) this.#seenRuns.add(run.id);
    const run = JSON.parse(
      await call('vigocli', '--home', this.layout.server, 'status', '--json'),
    ) as { startedAtMs: number };
    const where = ['--config-dir', agentConfig, '--state-dir', agentState, '--root', root];
    this.#agent = new Resident('vigo', ['daemon', ...where], agentLog);
    return this.#until(signal, 'vigo', this.#agent, async () => {
      const page = await this.#requireClient().get<Page<RunView>>('/api/v1/runs', { limit: 1 });
      const newest = page.items.find(({ startedAtMs }) => startedAtMs >= run.startedAtMs);
      if (!newest) return undefined;
      this.#seenRuns.add(newest.id);
      return this.#requireClient().get<RunDetailView>(`/api/v1/runs/${newest.id}`);
    });
  }

  #invite(apiPort: number): void {
    const screen = this.#screen;
    screen.line(styleText('bold', '\nThese are kept as declared:\n'));
    const files = managedPaths(this.layout.root).slice(0, listedFilesMax);
    for (const file of files) screen.line(file);
    const home = this.#short(this.layout.server);
    screen.line(
      `\n${styleText('bold', 'Delete or edit one of these files and watch it come back')} (within ${intervalSeconds} s).`,
    );
    screen.line(`The stack they come from: ${this.#short(join(this.layout.server, 'stacks'))}/`);
    screen.line(`REST API:  https://localhost:${apiPort}/api/v1/status`);
    screen.line('In another terminal, for instance:\n');
    for (const command of ['status', 'runs show', 'audit verify']) {
      screen.line(`  npx vigocli --home ${home} ${command}`);
    }
    screen.line(`\n${styleText('gray', 'Ctrl-C stops everything.')}\n`);
  }

  /** Runs that this demo has not shown yet, oldest first. */
  async #newRuns(): Promise<RunDetailView[]> {
    const client = this.#requireClient();
    const page = await client
      .get<Page<RunView>>('/api/v1/runs', { limit: 20 })
      .catch(() => ({ items: [] }));
    const fresh = page.items.filter(({ id }) => !this.#seenRuns.has(id)).reverse();
    const details: RunDetailView[] = [];
    for (const { id } of fresh) {
      this.#seenRuns.add(id);
      details.push(await client.get<RunDetailView>(`/api/v1/runs/${id}`));
    }
    return details;
  }

  #printRepairs(run: RunDetailView): void {
    const time = styleText('gray', new Date(run.startedAtMs).toTimeString().slice(0, 8));
    for (const result of run.results) {
      const good = ['created', 'updated', 'deleted'].includes(result.action);
      const mark = good ? styleText('green', '↺') : styleText('red', '!');
      const took = styleText('gray', `in ${result.durationMs} ms`);
      const text = `${result.action} ${result.id}: ${printable(result.reason)}`;
      if (!quietActions.has(result.action)) this.#screen.line(`${time} ${mark} ${text} ${took}`);
    }
  }

  /** Polls until there is an answer; gives up when the program ends or takes too long. */
  async #until<T>(
    signal: AbortSignal,
    name: string,
    program: Resident,
    probe: () => Promise<T | undefined>,
  ): Promise<T> {
    let ended: number | null | undefined;
    void program.exited.then((code) => {
      ended = code;
    });
    for (let waitedMs = 0; waitedMs < startLimitMs; waitedMs += 100) {
      signal.throwIfAborted();
      if (ended !== undefined) throw new Error(`${name} ended with ${ended}`);
      const found = await probe();
      if (found !== undefined) return found;
      await sleep(100);
    }
    throw new Error(`${name} was not ready within ${startLimitMs / 1000} s`);
  }

  #requireClient(): Client {
    if (!this.#client) throw new Error('the server is not started');
    return this.#client;
  }

  #short(path: string): string {
    return `./${relative(process.cwd(), path)}`;
  }
}

function describeRun(run: RunDetailView): string {
  const done = run.created + run.updated + run.deleted;
  const trouble = run.failed + run.blocked;
  const words = `${plural(run.total, 'resource')}, ${done} changed, ${run.unchanged} as declared`;
  return trouble > 0 ? `${words}, ${trouble} failed` : words;
}

/** Every file and link below the root, in order. */
function managedPaths(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
