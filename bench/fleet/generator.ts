import { Worker } from 'node:worker_threads';
import { BenchError } from '../errors.ts';
import { Latencies } from './histogram.ts';
import { emptyCounts, sumCounts, type TallyCounts } from './tally.ts';
import type { WorkerOrder, WorkerResult, WorkerStart, WorkerWord } from './worker-messages.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`./generator-worker.${extension}`, import.meta.url);

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
  readonly #results: WorkerResult[] = [];
  #ready = 0;
  #closing = false;
  #failure: Error | undefined;

  constructor(count: number, part: (index: number) => WorkerStart) {
    this.#latest = Array.from({ length: count }, () => emptyCounts);
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

  startMeasuring(): void {
    this.#order('measure');
  }

  /** Ends the window; `result` follows when everything that was under way has ended. */
  finish(): void {
    this.#order('finish');
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
      if (word.word === 'progress') this.#latest[at] = word.counts;
      if (word.word === 'ready') this.#ready += 1;
      if (word.word === 'failed') fail(word.reason);
      if (word.word === 'result') this.#results.push(word);
    });
    worker.on('error', (error: Error) => fail(error.message));
    worker.on('exit', (code) => fail(`a thread ended with ${code}`));
    return worker;
  }
}
