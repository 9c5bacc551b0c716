import {
  constants,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

const gcKinds = new Map<number, string>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak callbacks'],
]);

/** Of the 'gc' type (https://nodejs.org/api/perf_hooks.html#performanceentrydetail). */
interface CollectionEntry {
  readonly detail: { readonly kind: number };
  /** Milliseconds. */
  readonly duration: number;
}

/** What one thread costs and how promptly it works. */
export interface ThreadFigures {
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly heapLimitBytes: number;
  /** Buffers outside of the heap. */
  readonly externalBytes: number;
  /** Since the thread started, by kind. */
  readonly garbageCollections: Readonly<Record<string, { count: number; seconds: number }>>;
  /** 0 to 1, since the last reading. */
  readonly utilization: number;
  /** Milliseconds, since the last reading. */
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Watches the thread that made it. Its cost is a timer every 50 ms and a note per garbage collection. */
export class ThreadMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: 50 });
  readonly #collections: Record<string, { count: number; seconds: number }> = {};
  #lastUtilization = performance.eventLoopUtilization();
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  #pausedMs = 0;

  constructor() {
    this.#delay.enable();
    new PerformanceObserver((list) => {
      for (const { detail, duration } of list.getEntries() as unknown as CollectionEntry[]) {
        const kind = gcKinds.get(detail.kind) ?? 'other';
        this.#collections[kind] ??= { count: 0, seconds: 0 };
        this.#collections[kind].count += 1;
        this.#collections[kind].seconds += duration / 1000;
      }
    }).observe({ entryTypes: ['gc'] });
  }

  /** Blocks the thread. To Node.js that is work; to `utilization` it is rest. */
  pause(delayMs: number): void {
    const fromMs = performance.now();
    Atomics.wait(this.#cell, 0, 0, delayMs);
    this.#pausedMs += performance.now() - fromMs;
  }

  read(): ThreadFigures {
    const heap = getHeapStatistics();
    const utilization = performance.eventLoopUtilization();
    const since = performance.eventLoopUtilization(utilization, this.#lastUtilization);
    this.#lastUtilization = utilization;
    const workedMs = Math.max(0, since.active - this.#pausedMs);
    this.#pausedMs = 0;
    const eventLoopDelay = {
      p50: milliseconds(this.#delay.percentile(50)),
      p99: milliseconds(this.#delay.percentile(99)),
      max: milliseconds(this.#delay.max),
    };
    this.#delay.reset();
    return {
      heapUsedBytes: heap.used_heap_size,
      heapTotalBytes: heap.total_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      externalBytes: heap.external_memory,
      garbageCollections: structuredClone(this.#collections),
      utilization: workedMs / Math.max(1, since.active + since.idle),
      eventLoopDelay,
    };
  }
}

function milliseconds(nanos: number): number {
  return Math.round(nanos / 1000) / 1000;
}
