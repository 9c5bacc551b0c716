import type { Kysely } from 'kysely';
import type { AuditRow } from '../audit/chain.ts';
import { stateOfNumber } from '../envoy/states.ts';
import type { LiveEvent } from '../events/messages.ts';
import type { FleetBatch, ReportedRun } from './fleet-batch.ts';
import { insertChunk } from './limits.ts';
import { runStateName } from './query-rows.ts';
import type { SinkSchema } from './schema.ts';
import type { Transition } from './state-news.ts';

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** Host names of the envoys whose runs are in the batch. */
export async function hostnamesOf(
  reader: Kysely<SinkSchema>,
  batch: FleetBatch,
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(batch.runs.map(({ envoyId }) => envoyId))];
  const names = new Map<string, string>();
  for (let at = 0; at < ids.length; at += insertChunk) {
    const rows = await reader
      .selectFrom('envoys')
      .select(['envoy_id', 'hostname'])
      .where('envoy_id', 'in', ids.slice(at, at + insertChunk))
      .execute();
    for (const { envoy_id, hostname } of rows) names.set(envoy_id, hostname);
  }
  return names;
}

export function stateEvent(transition: Transition): LiveEvent {
  const { envoyId, hostname, atMs, from, to, policyVersion } = transition;
  const names = { from: stateOfNumber(from), to: stateOfNumber(to) };
  return { type: 'envoy.state', atMs, envoyId, data: { hostname, ...names, policyVersion } };
}

export function runEvent(
  { envoyId, receivedAtMs, report }: ReportedRun,
  runId: string,
  hostnames: ReadonlyMap<string, string>,
): LiveEvent {
  const { summary } = report;
  const data = {
    runId,
    hostname: hostnames.get(envoyId) ?? '',
    state: runStateName(report.state),
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
