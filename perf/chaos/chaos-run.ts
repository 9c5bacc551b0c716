import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRepository, repositoryInHost, useRepository } from '../../test/lab/apt-repository.ts';
import { type Lab, startLab } from '../../test/lab/lab.ts';
import { eventually, LabServer } from '../../test/lab/lab-server.ts';
import { type Counts, describeHost, type HostResource, ofKind } from '../mixed/description.ts';
import { describedPackages } from '../mixed/packages.ts';
import { vigoStack } from '../mixed/vigo-policy.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { ChaoticHost, type TroubleKind } from './chaotic-host.ts';
import { History } from './history.ts';
import { HostView } from './host-view.ts';
import { type MemoryTrend, memoryTrend } from './memory-trend.ts';
import { type HostVerdict, judgeHost } from './verdict.ts';

export interface ChaosOptions {
  readonly hosts: number;
  readonly counts: Counts;
  readonly minutes: number;
  readonly intervalMs: number;
  /** Between two acts on one host, on average. */
  readonly pauseMs: number;
  readonly seed: number;
  /** Acts on single resources between two that hit the whole host. */
  readonly actsBetween?: number;
  readonly troubleLimitMs?: number;
  readonly onProgress?: (text: string) => void;
  /** When it aborts, what was done so far is judged. */
  readonly signal?: AbortSignal;
}

export interface ChaosResult {
  readonly hosts: Readonly<Record<string, HostVerdict>>;
  readonly memory: Readonly<Record<string, MemoryTrend>>;
  /** What was not as declared at the end. */
  readonly broken: readonly string[];
  /** Results that a node still held at the end. */
  readonly pending: number;
  readonly resources: number;
}

const sampleMs = 15_000;
const settleLimitMs = 180_000;
const convergeLimitMs = 900_000;
/** By the number of the host: only agents of every third die, so that memory can be followed. */
const roles: readonly (readonly TroubleKind[])[] = [
  ['disk full', 'network cut'],
  ['agent killed', 'rebooted', 'network cut'],
  ['network cut'],
];

/** Real hosts under a real server, on which things are undone for some time. */
export async function chaosRun(options: ChaosOptions): Promise<ChaosResult> {
  const resources = describeHost(options.counts);
  const repository = makeRepository(describedPackages(resources));
  const lab = await startLab({ hosts: options.hosts, shared: { [repositoryInHost]: repository } });
  let server: LabServer | undefined;
  try {
    server = await LabServer.start(lab, `${options.intervalMs}ms`);
    await server.publish(vigoStack(resources));
    const hosts = await prepareHosts(lab, server, resources, options);
    return await new Chaos(options, server, hosts).run();
  } finally {
    await server?.stop();
    await lab.stop();
    rmSync(repository, { recursive: true, force: true });
  }
}

async function prepareHosts(
  lab: Lab,
  server: LabServer,
  resources: readonly HostResource[],
  {
    hosts: count,
    seed,
    pauseMs,
    intervalMs,
    actsBetween,
    troubleLimitMs,
    onProgress,
  }: ChaosOptions,
): Promise<readonly ChaoticHost[]> {
  const hosts: ChaoticHost[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `chaos-${index + 1}`;
    const host = await lab.host(name);
    const chaotic = new ChaoticHost({
      ...{ host, view: new HostView(host, lab.namespace), resources, pauseMs },
      random: seededRandom(seed * 1000 + index),
      troubles: roles[index % roles.length]!,
      ...(actsBetween === undefined ? {} : { actsBetween }),
      ...(troubleLimitMs === undefined ? {} : { troubleLimitMs }),
    });
    useRepository(host);
    const packages = ofKind(resources, 'package').map((one) => one.package);
    await chaotic.sh(`apt-get -qq update; apt-get -qqy install ${packages.join(' ')} >/dev/null`);
    await chaotic.prepareDisk();
    await chaotic.install(`${intervalMs}ms`);
    await chaotic.enroll(server);
    hosts.push(chaotic);
    onProgress?.(`${name} is enrolled`);
  }
  return hosts;
}

class Chaos {
  readonly #options: ChaosOptions;
  readonly #server: LabServer;
  readonly #hosts: readonly ChaoticHost[];
  readonly #histories = new Map<ChaoticHost, History>();

  constructor(options: ChaosOptions, server: LabServer, hosts: readonly ChaoticHost[]) {
    this.#options = options;
    this.#server = server;
    this.#hosts = hosts;
  }

  async run(): Promise<ChaosResult> {
    const { minutes, onProgress, intervalMs, signal } = this.#options;
    for (const host of this.#hosts) await this.#converged(host);
    onProgress?.(`all ${this.#hosts.length} hosts are as declared`);
    for (const host of this.#hosts)
      this.#histories.set(host, await History.from(this.#server, host.name));
    const untilMs = Date.now() + minutes * 60_000;
    const watching = this.#hosts.map((host) => host.watch());
    const sampling = this.#sample(untilMs);
    const until = () => (signal?.aborted === true ? 0 : untilMs);
    await Promise.all(this.#hosts.map((host) => host.act(until)));
    await sampling;
    await this.#settle();
    for (const host of this.#hosts) host.stopWatching();
    await Promise.all(watching);
    const { broken, pending } = await this.#end();
    const verdicts = this.#hosts.map((host): [string, HostVerdict] => {
      const { runs, before } = this.#histories.get(host)!;
      return [host.name, judgeHost(host, runs, before, intervalMs)];
    });
    const resources = this.#hosts[0]?.resources.size ?? 0;
    return {
      hosts: Object.fromEntries(verdicts),
      memory: this.#memory(),
      broken,
      pending,
      resources,
    };
  }

  async #converged(host: ChaoticHost): Promise<void> {
    const { name } = host;
    await eventually(
      `${name} is converged`,
      async () => {
        await sleep(500);
        return host.broken().length === 0 && (await this.#server.envoy(name)).state === 'converged';
      },
      convergeLimitMs,
    );
  }

  async #sample(untilMs: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    for (let round = 0; Date.now() < untilMs && signal?.aborted !== true; round += 1) {
      for (const host of this.#hosts) host.sampleMemory();
      for (const history of this.#histories.values()) await history.fetch();
      if (round % 4 === 0) onProgress?.(this.#progress());
      await sleep(Math.max(0, Math.min(sampleMs, untilMs - Date.now())));
    }
  }

  #progress(): string {
    const drifts = this.#hosts.reduce((sum, host) => sum + host.drifts.length, 0);
    const open = this.#hosts.reduce((sum, host) => sum + host.open().length, 0);
    const runs = [...this.#histories.values()].reduce((sum, { runs }) => sum + runs.length, 0);
    return `${drifts} things undone, ${open} of them now; ${runs} runs told`;
  }

  /** Waits until all is repaired and told. */
  async #settle(): Promise<void> {
    for (const host of this.#hosts) {
      const quiet = async () => {
        await sleep(500);
        return host.open().length === 0 && (await this.#pending(host)) === 0;
      };
      await eventually(`${host.name} is at rest`, quiet, settleLimitMs).catch(() => undefined);
    }
    // A repair that was seen from outside is told at the end of its pass.
    await sleep(this.#options.intervalMs);
  }

  async #pending(host: ChaoticHost): Promise<number> {
    try {
      return (await host.status()).pendingResults;
    } catch {
      return 1;
    }
  }

  async #end(): Promise<{ readonly broken: readonly string[]; readonly pending: number }> {
    const broken: string[] = [];
    let pending = 0;
    for (const host of this.#hosts) {
      pending += await this.#pending(host);
      await this.#histories.get(host)!.fetch();
      broken.push(...host.broken().map((name) => `${host.name}: ${name}`));
    }
    return { broken, pending };
  }

  #memory(): Record<string, MemoryTrend> {
    const trends = this.#hosts.map((host) => [host.name, memoryTrend(host.memory)] as const);
    return Object.fromEntries(trends.filter(([, trend]) => trend !== undefined)) as Record<
      string,
      MemoryTrend
    >;
  }
}
