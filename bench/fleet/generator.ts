import { Worker } from 'node:worker_threads';
import { BenchError } from '../errors.ts';
import { Latencies } from './histogram.ts';
import type { WorkerCounts, WorkerOrder, WorkerStart, WorkerWord } from './worker-messages.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`./generator-worker.${extension}`, import.meta.url);

export interface GeneratorResult {
  readonly counts: WorkerCounts;
  readonly checkIns: Latencies;
  readonly reports: Latencies;
}

/** The simulated fleet, spread over threads. */
export class Generator {
  readonly #workers: readonly Worker[];
  readonly #latest: WorkerCounts[];
  readonly #ready: Promise<unknown>;
  #failure: Error | undefined;

  constructor(count: number, part: (index: number) => WorkerStart) {
    this.#workers = Array.from({ length: count }, (_, at) => {
      return new Worker(entry, { workerData: part(at) });
    });
    this.#latest = this.#workers.map(() => emptyCounts);
    this.#ready = Promise.all(this.#workers.map((worker, at) => this.#follow(worker, at)));
    this.#ready.catch((error: Error) => {
      this.#failure = error;
    });
  }

  /** Resolves when every envoy has checked in once. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  counts(): WorkerCounts {
    if (this.#failure) throw this.#failure;
    return this.#latest.reduce(sumCounts, emptyCounts);
  }

  startMeasuring(): void {
    this.#order('measure');
  }

  async finish(): Promise<GeneratorResult> {
    const results = this.#workers.map(
      (worker) =>
        new Promise<Extract<WorkerWord, { word: 'result' }>>((resolve) => {
          worker.on('message', (word: WorkerWord) => {
            if (word.word === 'result') resolve(word);
          });
        }),
    );
    this.#order('finish');
    const words = await Promise.all(results);
    await this.close();
    const checkIns = new Latencies();
    const reports = new Latencies();
    for (const word of words) {
      checkIns.add(Latencies.from(word.checkIns));
      reports.add(Latencies.from(word.reports));
    }
    return { counts: words.map(({ counts }) => counts).reduce(sumCounts), checkIns, reports };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #order(order: WorkerOrder): void {
    for (const worker of this.#workers) worker.postMessage(order);
  }

  #follow(worker: Worker, at: number): Promise<void> {
    return new Promise((resolve, reject) => {
      worker.on('message', (word: WorkerWord) => {
        if (word.word === 'progress') this.#latest[at] = word.counts;
        if (word.word === 'ready') resolve();
      });
      worker.on('error', (error: Error) =>
        reject(new BenchError('BENCH_GENERATOR', error.stack ?? error.message)),
      );
    });
  }
}

const emptyCounts: WorkerCounts = { connected: 0, done: 0, reports: 0, missed: 0, errors: {} };

function sumCounts(a: WorkerCounts, b: WorkerCounts): WorkerCounts {
  const errors: Record<string, number> = { ...a.errors };
  for (const [code, count] of Object.entries(b.errors)) errors[code] = (errors[code] ?? 0) + count;
  return {
    connected: a.connected + b.connected,
    done: a.done + b.done,
    reports: a.reports + b.reports,
    missed: a.missed + b.missed,
    errors,
  };
}
