import type { ShardStatus } from '../../../../actors/server/status.ts';
import { outboxEntryLimit } from '../../../../runtime/outbox.ts';
import type { Exposition, Labels } from '../exposition.ts';
import type { MetricSources } from '../metrics.ts';

/** The agents' side: connections, requests, refusals, and what waits for the sink. */
export function writeShards(out: Exposition, { status }: MetricSources): void {
  const each = (value: (shard: ShardStatus) => number): [Labels, number][] =>
    status.shards.map((shard) => [{ thread: shard.thread }, value(shard)]);
  const counter = (name: string, help: string, value: (shard: ShardStatus) => number) =>
    out.family('counter', name, help, each(value));
  out.gauge('vigo_shards', 'Fleet shards that answer.', status.shards.length);
  out.family(
    'gauge',
    'vigo_connections',
    'Open connections of agents.',
    each(({ connections }) => connections),
  );
  counter('vigo_check_ins_total', 'Check-ins that were answered.', ({ checkIns }) => checkIns);
  counter('vigo_reports_total', 'Reports that were taken durably.', ({ reports }) => reports);
  counter('vigo_trait_reports_total', 'Reports of traits.', ({ traits }) => traits);
  counter('vigo_registrations_total', 'Machines enrolled.', ({ registrations }) => registrations);
  counter(
    'vigo_mailbox_refusals_total',
    'Messages refused because a mailbox or a queue was full.',
    ({ mailboxRefusals }) => mailboxRefusals,
  );
  counter(
    'vigo_sql_statements_on_check_in_path_total',
    'SQL run on a fleet shard. Anything but 0 is a defect.',
    ({ sqlStatements }) => sqlStatements,
  );
  out.family(
    'counter',
    'vigo_refusals_total',
    'Requests and connections of agents that were refused, by code.',
    status.shards.flatMap(({ thread, refusals }) =>
      Object.entries(refusals).map(([code, count]): [Labels, number] => [{ thread, code }, count]),
    ),
  );
  out.family(
    'gauge',
    'vigo_outbox_entries',
    'Events that wait for the sink.',
    each(({ outboxEntries }) => outboxEntries),
  );
  out.gauge('vigo_outbox_limit_entries', 'Events that may wait in one shard.', outboxEntryLimit);
  out.gauge(
    'vigo_sink_waiting_events',
    'Events that the sink has not written to SQL yet.',
    status.sink?.waitingEvents,
  );
  const lagMs = status.sink?.lagMs;
  out.gauge(
    'vigo_sink_lag_seconds',
    'Age of the oldest event that the sink has not written.',
    lagMs === undefined ? undefined : lagMs / 1000,
  );
}
