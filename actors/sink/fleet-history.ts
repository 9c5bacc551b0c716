import { type Kysely, sql } from 'kysely';
import { envoyStates, stateOfNumber } from '../envoy/states.ts';
import type { FleetDaysTable } from './fleet-tables.ts';
import type { SinkSchema } from './schema.ts';

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
/** How long minutes and hours are kept: the dashboard shows a day and a week, people ask about a year. */
const keptMs = { [minuteMs]: 26 * hourMs, [hourMs]: 400 * 24 * hourMs } as const;

/** What the shards did in a minute. */
export interface FleetMinute {
  readonly record: 'fleetMinute';
  /** The beginning of the minute, wall clock. */
  readonly atMs: number;
  /** How much of it was measured. */
  readonly coveredMs: number;
  readonly checkIns: number;
  readonly reports: number;
  /** Of the check-ins, microseconds; 0 = there were none. */
  readonly latencyP50Us: number;
  readonly latencyP99Us: number;
}

/** Adds a minute to the history, and to its hour. The states are those that the database knows now. */
export async function writeFleetMinute(
  writer: Kysely<SinkSchema>,
  minute: FleetMinute,
): Promise<void> {
  const states = JSON.stringify(await countStates(writer));
  await upsert(writer, minuteMs, minute.atMs, states, minute);
  await upsert(writer, hourMs, minute.atMs - (minute.atMs % hourMs), states, minute);
  for (const step of [minuteMs, hourMs] as const) {
    await writer
      .deleteFrom('fleet_history')
      .where('step_ms', '=', step)
      .where('at_ms', '<', minute.atMs - keptMs[step])
      .execute();
  }
}

async function countStates(writer: Kysely<SinkSchema>): Promise<number[]> {
  const rows = await writer
    .selectFrom('envoys')
    .select(['state', (select) => select.fn.countAll<number>().as('envoys')])
    .where('revoked_at_ms', 'is', null)
    .groupBy('state')
    .execute();
  return envoyStates.map((state) =>
    rows
      .filter((row) => stateOfNumber(row.state) === state)
      .reduce((sum, { envoys }) => sum + envoys, 0),
  );
}

async function upsert(
  writer: Kysely<SinkSchema>,
  stepMs: number,
  atMs: number,
  states: string,
  { coveredMs, checkIns, reports, latencyP50Us, latencyP99Us }: FleetMinute,
): Promise<void> {
  await sql`insert into fleet_history (
      step_ms, at_ms, states, covered_ms, check_ins, reports, latency_p50_us, latency_p99_us)
    values (${stepMs}, ${atMs}, ${states}, ${coveredMs}, ${checkIns}, ${reports},
      ${latencyP50Us}, ${latencyP99Us})
    on conflict (step_ms, at_ms) do update set
      states = excluded.states,
      covered_ms = covered_ms + excluded.covered_ms,
      check_ins = check_ins + excluded.check_ins,
      reports = reports + excluded.reports,
      latency_p50_us = max(latency_p50_us, excluded.latency_p50_us),
      latency_p99_us = max(latency_p99_us, excluded.latency_p99_us)`.execute(writer);
}

/** What happened on a day (UTC), counted as it is written. */
export interface FleetDay {
  readonly runs: number;
  readonly runsWithChanges: number;
  readonly runsFailed: number;
  readonly resourcesChanged: number;
  readonly transitions: number;
}

export const dayMs = 24 * hourMs;

/** Of the row of a day; undefined: nothing happened on it. */
export function fleetDay(row: FleetDaysTable | undefined): FleetDay {
  return {
    runs: row?.runs ?? 0,
    runsWithChanges: row?.runs_with_changes ?? 0,
    runsFailed: row?.runs_failed ?? 0,
    resourcesChanged: row?.resources_changed ?? 0,
    transitions: row?.transitions ?? 0,
  };
}

export async function addToDay(
  writer: Kysely<SinkSchema>,
  atMs: number,
  day: FleetDay,
): Promise<void> {
  const figures = Object.values(day) as number[];
  if (figures.every((figure) => figure === 0)) return;
  const { runs, runsWithChanges, runsFailed, resourcesChanged, transitions } = day;
  await sql`insert into fleet_days (
      day_ms, runs, runs_with_changes, runs_failed, resources_changed, transitions)
    values (${atMs - (atMs % dayMs)}, ${runs}, ${runsWithChanges}, ${runsFailed},
      ${resourcesChanged}, ${transitions})
    on conflict (day_ms) do update set
      runs = runs + excluded.runs,
      runs_with_changes = runs_with_changes + excluded.runs_with_changes,
      runs_failed = runs_failed + excluded.runs_failed,
      resources_changed = resources_changed + excluded.resources_changed,
      transitions = transitions + excluded.transitions`.execute(writer);
}
