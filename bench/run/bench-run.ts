import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import type { WatchTimes } from '../fleet/fleet-watch.ts';
import { Generator, type GeneratorResult } from '../fleet/generator.ts';
import { type FleetOptions, partOf } from '../fleet/options.ts';
import { openFilesMax, processCpuUs, processRssKb } from '../fleet/process-cost.ts';
import type { Progress } from '../fleet/progress.ts';
import { buildReport, type FleetReport, type Measurements } from '../fleet/report.ts';
import { type ServerFigures, ServerUnderTest } from '../fleet/server-under-test.ts';
import { measureVerifyUs, medianOf } from '../fleet/signing.ts';
import { Calm, type Spent } from './calm.ts';
import { type Provenance, provenance } from './provenance.ts';
import { machineCpuUs, type Sample, Sampler } from './sampler.ts';

/** The loop that shows progress and samples. */
const tickMs = 250;
const orderPollMs = 20;
/** After the last connection the pacing of the fleet settles for this many intervals. */
const settleIntervals = 1.5;
/** How long the server may take to be done with the wave of connections. */
const settleLimitMs = { least: 5000, perEnvoy: 5 } as const;
const calmLookMs = 1000;
/** Open files that the programs need beside one per envoy. */
const ownFiles = 300;

/** The fleet report of one window, with how the run went over time. */
export interface WindowReport extends FleetReport {
  /** Cores that neither the server nor vigobench kept busy: other programs of this machine. */
  readonly other_cores: number;
  /** Check-ins were signed before the window: their signatures' cost is not in the generator's. */
  readonly signed_ahead: boolean;
  readonly samples: readonly Sample[];
}

/** A window that is open. */
interface Opened {
  readonly figures: ServerFigures;
  readonly serverUs: number;
  readonly own: NodeJS.CpuUsage;
  readonly machineUs: number;
  readonly beganMs: number;
}

/** A server process, its fleet, and the looks at both; made by `withRun`. */
export class BenchRun {
  readonly options: FleetOptions;
  readonly progress: Progress;
  readonly server: ServerUnderTest;
  readonly #provenance: Provenance;
  readonly #signal: AbortSignal;
  readonly #verifyUs: number[] = [];
  #generator: Generator | undefined;
  #sampler: Sampler | undefined;
  #rssBeforeKb = 0;
  #ramp: Measurements['ramp'] = { durationMs: 0, errors: {} };
  #opened: Opened | undefined;
  #signedAhead = false;

  constructor(
    options: FleetOptions,
    parts: { progress: Progress; signal: AbortSignal; server: ServerUnderTest },
  ) {
    this.options = options;
    this.progress = parts.progress;
    this.server = parts.server;
    this.#provenance = provenance(new Date());
    this.#signal = parts.signal;
  }

  get generator(): Generator {
    if (this.#generator) return this.#generator;
    throw new BenchError('BENCH_GENERATOR', 'the fleet is not connected yet');
  }

  get verifyUs(): number {
    return medianOf(this.#verifyUs);
  }

  /** Resident memory of the server before the first envoy came, kilobytes. */
  get rssBeforeKb(): number {
    return this.#rssBeforeKb;
  }

  /** Makes the home, starts the server, publishes the sample policy. */
  async open(): Promise<void> {
    this.progress.say(`making ${this.options.envoys} identities and a server home`);
    await this.server.prepare();
    await this.server.start();
    await this.server.publish();
    this.#verifyUs.push(...measureVerifyUs());
    this.#rssBeforeKb = processRssKb(this.server.pid);
  }

  /** Connects all envoys and lets them find their rhythm. */
  async connect(): Promise<void> {
    const { options, server } = this;
    const generator = openGenerator(options, server);
    this.#generator = generator;
    this.#sampler = new Sampler(() => {
      const { connected, done, missed, reports } = generator.counts();
      const { utilization } = generator;
      return { pid: server.pid, home: server.home, connected, done, missed, reports, utilization };
    });
    const beganMs = performance.now();
    await this.until(
      () => generator.ready,
      () => `connecting: ${generator.counts().connected} of ${options.envoys} envoys`,
    );
    this.#ramp = {
      durationMs: performance.now() - beganMs,
      errors: generator.counts().errors,
    };
    await this.pass(options.intervalMs * settleIntervals, () => 'letting the fleet settle');
  }

  /** Counts from zero. `signAheadMs`: let each envoy sign before what it sends in so long a window. */
  async openWindow(signAheadMs = 0): Promise<void> {
    this.#signedAhead = signAheadMs > 0;
    if (signAheadMs > 0) {
      this.generator.signAhead(signAheadMs + this.#settleLimitMs);
      await this.until(
        () => this.generator.signed,
        () => 'signing ahead',
      );
    }
    await this.#settle();
    const figures = await this.server.figures();
    this.generator.startMeasuring();
    while (!this.generator.measuring) await this.#sleep(orderPollMs);
    this.#opened = {
      figures,
      serverUs: processCpuUs(this.server.pid),
      own: process.cpuUsage(),
      machineUs: machineCpuUs(),
      beganMs: performance.now(),
    };
  }

  /** Waits until the wave of connections is over for the server, too. */
  async #settle(): Promise<void> {
    const calm = new Calm();
    const untilMs = performance.now() + this.#settleLimitMs;
    for (;;) {
      const before = this.#spent();
      await this.pass(calmLookMs, () => 'waiting for the server to be calm');
      const state = calm.look(before, this.#spent(), await this.server.figures());
      if (state === undefined) return;
      if (performance.now() < untilMs) continue;
      this.progress.say(`warning: the window opens although ${state}`);
      return;
    }
  }

  get #settleLimitMs(): number {
    return settleLimitMs.least + settleLimitMs.perEnvoy * this.options.envoys;
  }

  #spent(): Spent {
    const { missed, reports } = this.generator.counts();
    return { atMs: performance.now(), serverUs: processCpuUs(this.server.pid), missed, reports };
  }

  /** The server was started again in the window: its counters began at zero. */
  serverReplaced(): void {
    const opened = this.#opened;
    if (opened) this.#opened = { ...opened, figures: { shards: [] }, serverUs: 0 };
  }

  /** Ends the window; waits for what was under way. The generator does nothing afterwards. */
  async closeWindow(): Promise<WindowReport> {
    const opened = this.#opened;
    if (!opened) throw new BenchError('BENCH_GENERATOR', 'no window is open');
    this.generator.finish();
    const own = process.cpuUsage(opened.own);
    const generatorCpuUs = own.user + own.system;
    const serverCpuUs = processCpuUs(this.server.pid) - opened.serverUs;
    const machineUs = machineCpuUs() - opened.machineUs;
    const windowMs = performance.now() - opened.beganMs;
    const rssKb = processRssKb(this.server.pid);
    const result = await this.#settled();
    const figuresAfter = await this.server.figures();
    this.#verifyUs.push(...measureVerifyUs());
    const report = buildReport(this.options, {
      provenance: this.#provenance,
      ...{ ramp: this.#ramp, windowMs, verifyUs: this.verifyUs, serverCpuUs, generatorCpuUs },
      ...{ rssBeforeKb: this.#rssBeforeKb, rssKb, result },
      figuresBefore: opened.figures,
      figuresAfter,
    });
    const others = Math.max(0, machineUs - serverCpuUs - generatorCpuUs);
    return {
      ...report,
      other_cores: Math.round(others / 10 / windowMs) / 100,
      signed_ahead: this.#signedAhead,
      samples: this.#sampler?.samples ?? [],
    };
  }

  /** What the watch of the generator has seen. */
  async watched(): Promise<WatchTimes> {
    this.generator.askWatch();
    for (;;) {
      const times = this.generator.watched;
      if (times) return times;
      await this.#sleep(orderPollMs);
    }
  }

  /** Lets time pass. */
  async pass(ms: number, tell: (leftS: number) => string): Promise<void> {
    const untilMs = performance.now() + ms;
    await this.until(
      () => performance.now() >= untilMs,
      () => tell(Math.ceil((untilMs - performance.now()) / 1000)),
      () => Math.min(tickMs, Math.max(1, untilMs - performance.now())),
    );
  }

  /** Resolves when it is done, or with false after `limitMs`. Rejects when the server ends. */
  async until(
    done: () => boolean,
    tell: () => string,
    waitMs: () => number = () => tickMs,
    limitMs = Number.POSITIVE_INFINITY,
  ): Promise<boolean> {
    const untilMs = performance.now() + limitMs;
    while (!done()) {
      if (performance.now() > untilMs) return false;
      this.server.check();
      this.#sampler?.tick();
      this.progress.show(tell());
      await this.#sleep(waitMs());
    }
    return true;
  }

  async close(): Promise<void> {
    this.progress.clear();
    await this.#generator?.close();
    await this.server.stop();
  }

  async #settled(): Promise<GeneratorResult> {
    await this.until(
      () => this.generator.result !== undefined,
      () => 'waiting for the last answers',
    );
    const { result } = this.generator;
    if (result) return result;
    throw new BenchError('BENCH_GENERATOR', 'it told no result');
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal });
  }
}

/**
 * Real server process, real connections, keys, certificates, signatures. When `signal` aborts,
 * everything that was started ends and the temporary home goes.
 */
export async function withRun<T>(
  options: FleetOptions,
  parts: { readonly progress: Progress; readonly signal: AbortSignal },
  use: (run: BenchRun) => Promise<T>,
): Promise<T> {
  checkLimits(options);
  const keep = options.workDirectory;
  const directory = keep ?? mkdtempSync(join(tmpdir(), 'vigobench-'));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const server = new ServerUnderTest(directory, options, parts.signal);
  const run = new BenchRun(options, { ...parts, server });
  try {
    await run.open();
    return await use(run);
  } finally {
    await run.close();
    if (keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function checkLimits(options: FleetOptions): void {
  const files = openFilesMax();
  if (options.envoys + ownFiles <= files) return;
  const most = Math.max(0, files - ownFiles);
  throw new BenchError('BENCH_LIMIT', `${files} open files per process allow ${most} envoys`);
}

function openGenerator(options: FleetOptions, server: ServerUnderTest): Generator {
  return new Generator(options.workers, (at) => {
    const [from, to] = partOf(options.envoys, options.workers, at);
    return {
      identitiesFile: server.identitiesFile,
      from,
      to,
      host: '127.0.0.1',
      port: server.grpcPort,
      caPem: server.caPem,
      intervalMs: options.intervalMs,
      rampMs: options.rampMs,
      changed: options.changed,
    };
  });
}
