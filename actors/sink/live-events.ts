import type { Kysely } from 'kysely';
import type { AuditRow } from '../audit/chain.ts';
import type { LiveEvent } from '../events/live-event.ts';
import type { FleetBatch, ReportedRun } from './fleet-batch.ts';
import { insertChunk } from './limits.ts';
import { stateName } from './query-rows.ts';
import type { SinkSchema } from './schema.ts';

/** An envoy before a batch was applied. */
export interface EnvoyBefore {
  readonly hostname: string;
  readonly state: number;
  readonly lastSeenMs: number;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** The envoys of a batch as the database knows them before it. */
export async function envoysBefore(
  reader: Kysely<SinkSchema>,
  batch: FleetBatch,
): Promise<ReadonlyMap<string, EnvoyBefore>> {
  const ids = [...new Set([...batch.seen, ...batch.runs].map(({ envoyId }) => envoyId))];
  const before = new Map<string, EnvoyBefore>();
  for (let at = 0; at < ids.length; at += insertChunk) {
    const rows = await reader
      .selectFrom('envoys')
      .select(['envoy_id', 'hostname', 'state', 'last_seen_ms'])
      .where('envoy_id', 'in', ids.slice(at, at + insertChunk))
      .execute();
    for (const { envoy_id, hostname, state, last_seen_ms } of rows) {
      before.set(envoy_id, { hostname, state, lastSeenMs: last_seen_ms ?? 0 });
    }
  }
  return before;
}

/** Changes of state that a batch brings, by the rule of the write itself: what is older changes nothing. */
export function stateEvents(
  batch: FleetBatch,
  before: ReadonlyMap<string, EnvoyBefore>,
): LiveEvent[] {
  return batch.seen.flatMap(({ envoyId, lastSeenMs, state, policyVersion }) => {
    const was = before.get(envoyId);
    if (was === undefined || was.state === state || lastSeenMs < was.lastSeenMs) return [];
    const names = { from: stateName(was.state), to: stateName(state) };
    const data = { hostname: was.hostname, ...names, policyVersion };
    return [{ type: 'envoy.state', atMs: lastSeenMs, envoyId, data }];
  });
}

export function runEvent(
  { envoyId, receivedAtMs, report }: ReportedRun,
  runId: string,
  before: ReadonlyMap<string, EnvoyBefore>,
): LiveEvent {
  const { summary } = report;
  const data = {
    runId,
    hostname: before.get(envoyId)?.hostname ?? '',
    state: stateName(report.state),
    policyVersion: report.policyVersion,
    dryRun: report.dryRun,
    changed: (summary?.created ?? 0) + (summary?.updated ?? 0) + (summary?.deleted ?? 0),
    failed: summary?.failed ?? 0,
    total: summary?.total ?? 0,
  };
  return { type: 'run.finished', atMs: receivedAtMs, envoyId, data };
}

export function auditEntryEvent({ sequence, event }: AuditRow): LiveEvent {
  const { type, atMs, actor, subject, details } = event;
  const envoyId = (uuid.exec(actor) ?? uuid.exec(subject))?.[0];
  const about = envoyId === undefined ? {} : { envoyId };
  return { type, atMs, ...about, actor, subject, auditSequence: sequence, data: details };
}
