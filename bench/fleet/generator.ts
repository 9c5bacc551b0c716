import { Worker } from 'node:worker_threads';
import { BenchError } from '../errors.ts';
import { emptyTimes, joinTimes, type WatchProgress, type WatchTimes } from './fleet-watch.ts';
import { Latencies } from './histogram.ts';
import { emptyCounts, sumCounts, type TallyCounts } from './tally.ts';
import type { WorkerOrder, WorkerResult, WorkerStart, WorkerWord } from './worker-messages.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`./generator-worker.${extension}`, import.meta.url);

const noProgress: WatchProgress = { back: 0, taken: 0, told: 0, rehearsed: 0 };

export interface GeneratorResult {
  readonly inWindow: TallyCounts;
  readonly counts: TallyCounts;
  readonly checkIns: Latencies;
  readonly reports: Latencies;
  readonly lateStarts: Latencies;
  /** Of the busiest thread, 0 to 1. */
  readonly utilization: number;
}

/** What several threads counted, as if one had. */
export function mergeResults(results: readonly WorkerResult[]): GeneratorResult {
  const all = (pick: (result: WorkerResult) => TallyCounts) =>
    results.map(pick).reduce(sumCounts, emptyCounts);
  const sum = (name: keyof WorkerResult['histograms']) =>
    Latencies.sum(results.map(({ histograms }) => histograms[name]));
  return {
    inWindow: all(({ inWindow }) => inWindow),
    counts: all(({ counts }) => counts),
    checkIns: sum('checkIns'),
    reports: sum('reports'),
    lateStarts: sum('lateStarts'),
    utilization: Math.max(0, ...results.map(({ utilization }) => utilization)),
  };
}

/** The simulated fleet, spread over threads. */
export class Generator {
  readonly #workers: readonly Worker[];
  readonly #latest: TallyCounts[];
  readonly #watch: WatchProgress[];
  readonly #utilization: number[];
  readonly #latencyP99Ms: number[];
  readonly #results: WorkerResult[] = [];
  #watched: (WatchTimes | undefined)[] = [];
  #ready = 0;
  #measuring = 0;
  #signed = 0;
  #closing = false;
  #failure: Error | undefined;

  constructor(count: number, part: (index: number) => WorkerStart) {
    this.#latest = Array.from({ length: count }, () => emptyCounts);
    this.#watch = this.#latest.map(() => noProgress);
    this.#utilization = this.#latest.map(() => 0);
    this.#latencyP99Ms = this.#latest.map(() => 0);
    this.#workers = this.#latest.map((_, at) => this.#open(part(at), at));
  }

  /** True when every envoy has checked in once. Throws when a thread has failed. */
  get ready(): boolean {
    this.#check();
    return this.#ready === this.#workers.length;
  }

  /** Throws when a thread has failed. */
  counts(): TallyCounts {
    this.#check();
    return this.#latest.reduce(sumCounts, emptyCounts);
  }

  /** How far the watch has come, as of half a second ago. */
  watchProgress(): WatchProgress {
    this.#check();
    const sum = (pick: (part: WatchProgress) => number) =>
      this.#watch.reduce((total, part) => total + pick(part), 0);
    return {
      back: sum(({ back }) => back),
      taken: sum(({ taken }) => taken),
      told: sum(({ told }) => told),
      rehearsed: sum(({ rehearsed }) => rehearsed),
    };
  }

  /** Of the busiest thread lately, 0 to 1. */
  get utilization(): number {
    return Math.max(0, ...this.#utilization);
  }

  /** Of check-ins since the window was opened, of the slowest thread; milliseconds. */
  get latencyP99Ms(): number {
    return Math.max(0, ...this.#latencyP99Ms);
  }

  startMeasuring(): void {
    this.#measuring = 0;
    this.#order({ order: 'measure' });
  }

  /** Lets each envoy sign what it will send in so long a time. */
  signAhead(forMs: number): void {
    this.#signed = 0;
    this.#order({ order: 'sign-ahead', forMs });
  }

  /** True when every thread has signed. */
  get signed(): boolean {
    this.#check();
    return this.#signed === this.#workers.length;
  }

  /** True when every thread counts from zero. */
  get measuring(): boolean {
    this.#check();
    return this.#measuring === this.#workers.length;
  }

  /** `version`: the policy to look for; Infinity = none. */
  startWatch(version: number): void {
    this.#watch.fill(noProgress);
    this.#order({ order: 'watch', version });
  }

  askWatch(): void {
    this.#watched = this.#workers.map(() => undefined);
    this.#order({ order: 'tell-watch' });
  }

  /** What the watch has seen, after `askWatch`; undefined until every thread has told. */
  get watched(): WatchTimes | undefined {
    this.#check();
    const told = this.#watched.filter((times) => times !== undefined);
    return told.length < this.#workers.length ? undefined : joinTimes([emptyTimes(0), ...told]);
  }

  pace(every: number, changed: number): void {
    this.#order({ order: 'pace', every, changed });
  }

  burst(share: number, atMs: number): void {
    this.#order({ order: 'burst', share, atMs });
  }

  /** Ends the window; `result` follows when everything that was under way has ended. */
  finish(): void {
    this.#order({ order: 'finish' });
  }

  /** Undefined while calls are under way. */
  get result(): GeneratorResult | undefined {
    this.#check();
    return this.#results.length < this.#workers.length ? undefined : mergeResults(this.#results);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }

  #order(order: WorkerOrder): void {
    for (const worker of this.#workers) worker.postMessage(order);
  }

  #open(start: WorkerStart, at: number): Worker {
    const worker = new Worker(entry, { workerData: start });
    const fail = (reason: string) => {
      if (!this.#closing) this.#failure ??= new BenchError('BENCH_GENERATOR', reason);
    };
    worker.on('message', (word: WorkerWord) => {
      if (word.word === 'progress') {
        this.#latest[at] = word.counts;
        this.#watch[at] = word.watch;
        this.#utilization[at] = word.utilization;
        this.#latencyP99Ms[at] = word.latencyP99Ms;
      }
      if (word.word === 'measuring') this.#measuring += 1;
      if (word.word === 'signed') this.#signed += 1;
      if (word.word === 'watched') this.#watched[at] = word.times;
      if (word.word === 'ready') this.#ready += 1;
      if (word.word === 'failed') fail(word.reason);
      if (word.word === 'result') this.#results.push(word);
    });
    worker.on('error', (error: Error) => fail(error.message));
    worker.on('exit', (code) => fail(`a thread ended with ${code}`));
    return worker;
  }
}
