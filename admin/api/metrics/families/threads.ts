import type { ThreadStatus } from '../../../../actors/server/status.ts';
import type { Exposition, Labels } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

/** Each thread that has a store: the fleet shards and the service host. */
export function writeThreads(out: Exposition, { status }: MetricSources): void {
  const threads: [string, ThreadStatus][] = status.shards.map((shard) => [shard.thread, shard]);
  if (status.service) threads.push(['service', status.service]);
  const each = (value: (thread: ThreadStatus) => number): [Labels, number][] =>
    threads.map(([thread, figures]) => [{ thread }, value(figures)]);
  const gauge = (name: string, help: string, value: (thread: ThreadStatus) => number) =>
    out.family('gauge', name, help, each(value));
  gauge(
    'vigo_thread_heap_used_bytes',
    'JavaScript heap in use.',
    ({ figures }) => figures.heapUsedBytes,
  );
  gauge(
    'vigo_thread_heap_size_bytes',
    'JavaScript heap taken from the system.',
    ({ figures }) => figures.heapTotalBytes,
  );
  gauge(
    'vigo_thread_heap_limit_bytes',
    'At this heap size the thread ends and is replaced.',
    ({ figures }) => figures.heapLimitBytes,
  );
  gauge(
    'vigo_thread_external_memory_bytes',
    'Buffers outside of the heap.',
    ({ figures }) => figures.externalBytes,
  );
  gauge(
    'vigo_thread_utilization_ratio',
    'Share of time in which the thread worked, since the last scrape.',
    ({ figures }) => figures.utilization,
  );
  for (const quantile of ['p50', 'p99', 'max'] as const) {
    gauge(
      `vigo_thread_event_loop_delay_${quantile}_seconds`,
      `How late the thread came to its work since the last scrape, ${quantile}.`,
      ({ figures }) => figures.eventLoopDelay[quantile] / 1000,
    );
  }
  const collections = threads.flatMap(([thread, { figures }]) =>
    Object.entries(figures.garbageCollections).map(([kind, total]) => ({ thread, kind, ...total })),
  );
  out.family(
    'counter',
    'vigo_thread_gc_total',
    'Garbage collections.',
    collections.map(({ thread, kind, count }) => [{ thread, kind }, count]),
  );
  out.family(
    'counter',
    'vigo_thread_gc_seconds_total',
    'Time in garbage collections.',
    collections.map(({ thread, kind, seconds }) => [{ thread, kind }, seconds]),
  );
  gauge('vigo_store_used_bytes', 'Rows in the LMDB store.', ({ store }) => store.usedBytes);
  gauge(
    'vigo_store_limit_bytes',
    'At this size the LMDB store refuses what is new.',
    ({ store }) => store.limitBytes,
  );
}
