import type { Transaction } from 'kysely';
import type { LiveEvent } from '../events/messages.ts';
import { writeUpdate } from './envoy-updates.ts';
import type { FleetBatch, ReportedRun } from './fleet-batch.ts';
import { addToDay, type FleetDay, fleetDay } from './fleet-history.ts';
import { diffLimit, insertChunk, textLimit } from './limits.ts';
import { hostnamesOf, runEvent, stateEvent } from './live-events.ts';
import { applyPlanOutcomes, type PlanAnswer } from './plan-outcome.ts';
import type { ResourceResultsTable, RunsTable, SinkSchema } from './schema.ts';
import { forgetOldRuns, recordHeard, type Settled, settleReports } from './settled-reports.ts';
import { applyStateNews } from './state-news.ts';
import { writeTraits } from './trait-index.ts';

type Writer = Transaction<SinkSchema>;
type NewRun = Omit<RunsTable, 'run_key'>;

export interface AppliedBatch {
  readonly settled: readonly Settled[];
  /** Rehearsals that were answered. */
  readonly answers: readonly PlanAnswer[];
  /** What viewers are told once the transaction is through. */
  readonly events: readonly LiveEvent[];
}

/** Writes runs, traits and last-seen in the caller's transaction; audit events are not its matter. */
export async function applyBatch(
  writer: Writer,
  batch: FleetBatch,
  runsPerEnvoy: number,
): Promise<AppliedBatch> {
  const hostnames = await hostnamesOf(writer, batch);
  const fresh = await insertRuns(writer, batch.runs);
  const answers = await applyPlanOutcomes(writer, fresh);
  const heardAtMs = new Map(batch.runs.map((run) => [run.envoyId, run.receivedAtMs]));
  const settled = heardAtMs.size === 0 ? [] : await settleReports(writer, heardAtMs);
  await forgetOldRuns(writer, settled, runsPerEnvoy);
  for (const traits of batch.traits) await writeTraits(writer, traits);
  const transitions = await applyStateNews(writer, batch.news);
  // After the news of states: what is older than "last seen" counts as late there.
  await recordHeard(writer, heardAtMs);
  for (const update of batch.updates) await writeUpdate(writer, update);
  await addToDay(writer, batch.atMs, dayOf(fresh, transitions.length));
  const runs = fresh.map((run) => runEvent(run, uuidText(run.report.runId), hostnames));
  return { settled, answers, events: [...transitions.map(stateEvent), ...runs] };
}

function dayOf(runs: readonly ReportedRun[], transitions: number): FleetDay {
  const day = { ...fleetDay(undefined), transitions };
  for (const { report } of runs) {
    if (report.dryRun) continue;
    const { created = 0, updated = 0, deleted = 0, failed = 0 } = report.summary ?? {};
    const changes = created + updated + deleted;
    day.runs += 1;
    day.runsWithChanges += changes > 0 ? 1 : 0;
    day.runsFailed += failed > 0 ? 1 : 0;
    day.resourcesChanged += changes;
  }
  return day;
}

/** A report that is there already, sent again after a store was rebuilt, is left as it is; the others are returned. */
async function insertRuns(writer: Writer, runs: readonly ReportedRun[]): Promise<ReportedRun[]> {
  const fresh: ReportedRun[] = [];
  for (let at = 0; at < runs.length; at += insertChunk) {
    const chunk = runs.slice(at, at + insertChunk);
    const inserted = await writer
      .insertInto('runs')
      .values(chunk.map(runRow))
      .onConflict((conflict) => conflict.columns(['envoy_id', 'report_sequence']).doNothing())
      .returning(['run_key', 'envoy_id', 'report_sequence'])
      .execute();
    const keys = new Map(
      inserted.map((row) => [`${row.envoy_id} ${row.report_sequence}`, row.run_key]),
    );
    const results = chunk.flatMap((run) => {
      const key = keys.get(`${run.envoyId} ${run.report.reportSequence}`);
      if (key === undefined) return [];
      fresh.push(run);
      return resultRows(key, run);
    });
    for (let from = 0; from < results.length; from += insertChunk) {
      await writer
        .insertInto('resource_results')
        .values(results.slice(from, from + insertChunk))
        .execute();
    }
  }
  return fresh;
}

function runRow({ envoyId, receivedAtMs, report }: ReportedRun): NewRun {
  const { total = 0, unchanged = 0, created = 0, updated = 0 } = report.summary ?? {};
  const { deleted = 0, skipped = 0, blocked = 0, failed = 0 } = report.summary ?? {};
  return {
    run_id: uuidText(report.runId),
    envoy_id: envoyId,
    report_sequence: report.reportSequence,
    policy_version: report.policyVersion,
    bundle_root: Buffer.from(report.bundleRoot).toString('hex'),
    started_at_ms: report.startedAtMs,
    duration_ms: report.durationMs,
    received_at_ms: receivedAtMs,
    state: report.state,
    dry_run: Number(report.dryRun),
    policy_changed: Number(report.policyChanged),
    offline: Number(report.offline),
    total,
    unchanged,
    created,
    updated,
    deleted,
    skipped,
    blocked,
    failed,
    incidents: JSON.stringify(
      report.incidents.map(({ code, message, atMs }) => ({ code, message, atMs })),
    ),
  };
}

function resultRows(runKey: number, { report }: ReportedRun): ResourceResultsTable[] {
  return report.results.map((result, position) => ({
    run_key: runKey,
    position,
    resource_id: result.id.slice(0, textLimit),
    type: result.type.slice(0, textLimit),
    action: result.action,
    reason: result.reason.slice(0, textLimit),
    diff: result.diff.slice(0, diffLimit),
    error_code: result.errorCode.slice(0, textLimit),
    duration_ms: result.durationMs,
  }));
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
