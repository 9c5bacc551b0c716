import type { Exposition } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

export interface TraceFigures {
  /** Spans that wait for the collector. */
  readonly waiting: number;
  readonly exported: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** What became of the spans of OpenTelemetry traces; nothing where none are exported. */
export function writeTraces(out: Exposition, { traces }: MetricSources): void {
  if (traces === undefined) return;
  out.gauge('vigo_trace_queue_spans', 'Spans that wait for the collector.', traces.waiting);
  out.counter('vigo_trace_spans_exported_total', 'Spans that the collector took.', traces.exported);
  out.family(
    'counter',
    'vigo_trace_spans_dropped_total',
    'Spans that were lost: no room in their thread, no room in the queue, or not taken by the collector.',
    Object.entries(traces.dropped).map(([reason, count]) => [{ reason }, count]),
  );
}
