import { type Kysely, sql } from 'kysely';
import { stateNumber } from '../envoy/states.ts';
import { gapPatienceMs } from './limits.ts';
import type { SinkSchema } from './schema.ts';

type Writer = Kysely<SinkSchema>;

const offline = stateNumber('offline');

/** An envoy's reports up to this sequence are settled. */
export interface Settled {
  readonly envoyId: string;
  readonly reportSequence: number;
}

/** An envoy's mark, and a report above it. */
interface Waiting {
  readonly envoy_id: string;
  readonly settled: number;
  readonly report_sequence: number | null;
  readonly received_at_ms: number | null;
}

/**
 * Moves the settled marks of envoys over every report that is there without a gap. Reports of one
 * envoy may come through two shards' outboxes, so a later one can be here first; the mark must not pass
 * the earlier one, or the agent would forget it. `heardAtMs`: by envoy, when its newest report was
 * received. One statement serves all: each costs more than what it does for one envoy.
 */
export async function settleReports(
  writer: Writer,
  heardAtMs: ReadonlyMap<string, number>,
): Promise<Settled[]> {
  const ids = JSON.stringify([...heardAtMs.keys()]);
  const { rows } = await sql<Waiting>`
    select envoys.envoy_id, envoys.settled_report_sequence as settled,
      runs.report_sequence, runs.received_at_ms
    from json_each(${ids}) as id
    cross join envoys on envoys.envoy_id = id.value
    left join runs on runs.envoy_id = envoys.envoy_id
      and runs.report_sequence > envoys.settled_report_sequence
    order by id.key, runs.report_sequence`.execute(writer);
  const marks = new Map<string, number>();
  const before = new Map<string, number>();
  const stopped = new Set<string>();
  for (const { envoy_id, settled, report_sequence, received_at_ms } of rows) {
    const mark = marks.get(envoy_id) ?? settled;
    before.set(envoy_id, settled);
    marks.set(envoy_id, mark);
    if (report_sequence === null || received_at_ms === null || stopped.has(envoy_id)) continue;
    const waitedMs = (heardAtMs.get(envoy_id) ?? 0) - received_at_ms;
    if (report_sequence === mark + 1 || waitedMs >= gapPatienceMs) {
      marks.set(envoy_id, report_sequence);
    } else stopped.add(envoy_id);
  }
  await writeMarks(
    writer,
    [...marks].filter(([envoyId, mark]) => mark !== before.get(envoyId)),
  );
  return [...marks].map(([envoyId, reportSequence]) => ({ envoyId, reportSequence }));
}

async function writeMarks(
  writer: Writer,
  marks: readonly (readonly [envoyId: string, mark: number])[],
): Promise<void> {
  if (marks.length === 0) return;
  await sql`update envoys set settled_report_sequence = mark.value ->> 1
    from json_each(${JSON.stringify(marks)}) as mark
    where envoys.envoy_id = mark.value ->> 0`.execute(writer);
}

/** Of each envoy, the last `kept` runs up to its settled mark stay. */
export async function forgetOldRuns(
  writer: Writer,
  settled: readonly Settled[],
  kept: number,
): Promise<void> {
  const old = settled
    .map(({ envoyId, reportSequence }) => [envoyId, reportSequence - kept] as const)
    .filter(([, through]) => through > 0);
  if (old.length === 0) return;
  const keys = sql`(select runs.run_key from json_each(${JSON.stringify(old)}) as old
    cross join runs on runs.envoy_id = old.value ->> 0
      and runs.report_sequence <= old.value ->> 1)`;
  await sql`delete from resource_results where run_key in ${keys}`.execute(writer);
  await sql`delete from runs where run_key in ${keys}`.execute(writer);
}

/**
 * Moves "last seen" forward to when a report came, never back. By envoy. Not of one that is called
 * offline: the news that it is back may be older than its report and come after it, and would count as late.
 */
export async function recordHeard(
  writer: Writer,
  heardAtMs: ReadonlyMap<string, number>,
): Promise<void> {
  if (heardAtMs.size === 0) return;
  await sql`update envoys set last_seen_ms = note.value ->> 1
    from json_each(${JSON.stringify([...heardAtMs])}) as note
    where envoys.envoy_id = note.value ->> 0 and state <> ${offline}
      and coalesce(last_seen_ms, -1) < note.value ->> 1`.execute(writer);
}
