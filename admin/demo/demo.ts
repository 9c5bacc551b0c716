import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { PublishResult } from '../../actors/publish/messages.ts';
import type { Page, RunDetailView, RunView } from '../api/backend.ts';
import { Client } from '../cli/client.ts';
import { connectionOf } from '../cli/connection.ts';
import { printable } from '../cli/terminal-text.ts';
import { durationWords, plural } from '../cli/words.ts';
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
      () => this.#publish(again),
      (text) => text,
    );
    signal.throwIfAborted();
    await screen.step(
      'enrolling this machine as an envoy',
      () => this.#enroll(ports.grpc),
      (text) => text,
    );
    await screen.step(
      'waiting for the first convergence',
      () => this.#startAgent(ports.grpc, signal),
      (run) => `first convergence ${describeRun(run)}`,
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
      'stopping the agent, then the server',
      async () => {
        await this.#agent?.stop();
        await this.#server?.stop();
      },
      () => 'stopped; nothing is left running',
    );
    const top = this.#short(this.layout.top);
    this.#screen.line(`\nStart again to go on from here; remove ${top}/ to begin anew.`);
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
    const text = `# The demo's server. All keys: vigosrv config sample\ncheckin:\n  interval: ${intervalSeconds}s\n`;
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
      const pid = runningPid(server);
      if (pid === undefined || pid !== this.#server?.pid) return undefined;
      this.#client = new Client(connectionOf({ home: server }, {}));
      return this.#client.get('/healthz').catch(() => undefined);
    });
    return { grpc, api };
  }

  /** A stack that somebody broke between two demos stops nothing: the policy before it stays. */
  async #publish(again: boolean): Promise<string> {
    const home = ['--home', this.layout.server];
    try {
      const message = again ? 'demo started again' : 'sample stack of the demo';
      const words = await call('vigocli', ...home, '--json', 'config', 'publish', '-m', message);
      const result = JSON.parse(words) as PublishResult;
      const extent = `${plural(result.modules, 'module')}, ${plural(result.resources, 'resource')}`;
      return result.changed
        ? `published the stack: ${extent}, now policy version ${result.version}`
        : `the stack is unchanged: ${extent}, policy version ${result.version}`;
    } catch (error) {
      if (!again) throw error;
      const stack = this.#short(join(this.layout.server, 'stacks'));
      return `${stack}/ has mistakes, so the policy before it stays; see vigocli config validate`;
    }
  }

  async #enroll(grpcPort: number): Promise<string> {
    const { agentConfig, agentState, root, server } = this.layout;
    const where = ['--config-dir', agentConfig, '--state-dir', agentState, '--root', root];
    const target = ['--server', `localhost:${grpcPort}`];
    if (existsSync(join(agentConfig, 'identity'))) {
      const envoyId = await this.#envoyId(where);
      if (envoyId) return `enrolled before, as envoy ${envoyId}`;
    }
    const make = ['--json', 'tokens', 'create', '--match', '*', '--expires', '10m'];
    const created = await call('vigocli', '--home', server, ...make);
    const { token } = JSON.parse(created) as { token: string };
    await call('vigo', 'register', ...target, '--token', token, ...where);
    return `enrolled with a one-use token, as envoy ${await this.#envoyId(where)}`;
  }

  async #envoyId(where: readonly string[]): Promise<string | undefined> {
    const status = await call('vigo', 'status', '--json', ...where);
    return (JSON.parse(status) as { envoyId?: string }).envoyId;
  }

  async #startAgent(grpcPort: number, signal: AbortSignal): Promise<RunSummary> {
    const { agentConfig, agentState, root, agentLog } = this.layout;
    for (const run of await this.#newRuns()) this.#seenRuns.add(run.id);
    const where = ['--config-dir', agentConfig, '--state-dir', agentState, '--root', root];
    // The port may be another one than at enrolment.
    const target = ['--server', `localhost:${grpcPort}`];
    const sinceMs = Date.now();
    this.#agent = new Resident('vigo', ['daemon', ...target, ...where], agentLog);
    return this.#until(signal, 'vigo', this.#agent, async () => {
      const page = await this.#requireClient().get<Page<RunView>>('/api/v1/runs', { limit: 1 });
      const reported = page.items.find(({ startedAtMs }) => startedAtMs >= sinceMs);
      if (reported) this.#seenRuns.add(reported.id);
      return reported ?? (await this.#unreportedRun(where, sinceMs));
    });
  }

  /** A pass that finds nothing new is not reported; the agent remembers it. */
  async #unreportedRun(where: readonly string[], sinceMs: number): Promise<RunSummary | undefined> {
    const status = await call('vigo', 'status', '--json', ...where).catch(() => '{}');
    const { lastRun, lastContactMs = 0 } = JSON.parse(status) as AgentStatus;
    if (!lastRun || lastRun.startedAtMs < sinceMs || lastContactMs < sinceMs) return undefined;
    const changed = lastRun.summary.total - lastRun.summary.unchanged - lastRun.summary.skipped;
    if (changed > 0) return undefined;
    return { ...lastRun.summary, durationMs: lastRun.durationMs };
  }

  #invite(apiPort: number): void {
    const { root, server } = this.layout;
    const line = (text = '') => this.#screen.line(text);
    const all = managedPaths(root);
    line(styleText('bold', '\nThese files are kept as declared:\n'));
    for (const file of all.slice(0, listedFilesMax)) line(file);
    line(styleText('bold', '\nDelete or edit one of them and watch it come back.'));
    line(`The agent looks every ${intervalSeconds} s; what it repairs is told below.\n`);
    line(`Policy     ${this.#short(join(server, 'stacks'))}/`);
    line(`REST API   https://localhost:${apiPort}/api/v1/status`);
    line(`Dashboard  https://localhost:${apiPort}/`);
    const code = setupCode(server);
    if (code !== undefined) {
      line('           makes you the first administrator with this code:');
      line(`           ${styleText('bold', code)}`);
    }
    line('\nIn another terminal:\n');
    for (const command of ['runs show', 'status', 'audit verify']) {
      line(`  npx vigocli --home ${this.#short(server)} ${command}`);
    }
    line(`\n${styleText('gray', 'Ctrl-C stops everything.')}\n`);
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

type RunCounts = Pick<
  RunView,
  'total' | 'unchanged' | 'created' | 'updated' | 'deleted' | 'skipped' | 'blocked' | 'failed'
>;
type RunSummary = RunCounts & Pick<RunView, 'durationMs'>;

/** What `vigo status --json` says, as far as it matters here. */
interface AgentStatus {
  readonly lastContactMs?: number;
  readonly lastRun?: {
    readonly startedAtMs: number;
    readonly durationMs: number;
    readonly summary: RunCounts;
  };
}

function describeRun(run: RunSummary): string {
  const done = run.created + run.updated + run.deleted;
  const counts: [number, string][] = [
    [done, 'brought to their declared state'],
    [run.unchanged, 'as declared already'],
    [run.skipped, 'skipped by a condition'],
    [run.failed + run.blocked, 'failed'],
  ];
  const words = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const took = durationWords(run.durationMs);
  return `in ${took}: ${plural(run.total, 'resource')}, ${words.join(', ')}`;
}

/** Who wrote the server's run file; undefined while there is none. */
function runningPid(home: string): number | undefined {
  try {
    const text = readFileSync(join(home, 'run.json'), 'utf8');
    return (JSON.parse(text) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Of the first administrator; undefined when there is one. */
function setupCode(home: string): string | undefined {
  try {
    return readFileSync(join(home, 'keys', 'setup-code'), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Every file and link below the root, in order. */
function managedPaths(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
