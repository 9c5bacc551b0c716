import { type Kysely, sql } from 'kysely';
import { stateNumber } from '../envoy/states.ts';
import { insertChunk, textLimit } from './limits.ts';
import type { FleetEvents } from './messages.ts';
import type { EnvoysTable, SinkSchema } from './schema.ts';

/** Transitions that are kept of one envoy. */
export const transitionsPerEnvoyLimit = 500;

/** What shards tell of an envoy, in the order in which they told it. */
export type StateNews =
  | { readonly seen: FleetEvents['envoy.seen'] }
  | { readonly silent: FleetEvents['envoy.silent']; readonly atMs: number };

/** A change of state that was written. */
export interface Transition {
  readonly envoyId: string;
  readonly hostname: string;
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly afterMs: number | null;
  readonly driftRuns: number;
  readonly policyVersion: number;
}

/** An envoy as it stands in the database, and what became of it. */
interface Known
  extends Pick<
    EnvoysTable,
    | 'hostname'
    | 'state'
    | 'state_since_ms'
    | 'last_seen_ms'
    | 'policy_version'
    | 'agent_version'
    | 'revoked_at_ms'
  > {
  touched: boolean;
  /** Its state is another one; likewise its version of policy or agent. These columns are indexed. */
  moved: boolean;
  versioned: boolean;
}

type Writer = Kysely<SinkSchema>;

const offline = stateNumber('offline');
/** Stands in events that an older release left behind: the last run had changed something. */
const changedOnce = 2;

/** Writes who was seen and who was not, and every change of state; news that is older than the row is left out. */
export async function applyStateNews(
  writer: Writer,
  news: readonly StateNews[],
): Promise<Transition[]> {
  const known = await readKnown(writer, [...new Set(news.map(envoyOf))]);
  const transitions = news.flatMap((one) => {
    const row = known.get(envoyOf(one));
    if (row === undefined || row.revoked_at_ms !== null) return [];
    return 'seen' in one ? seen(row, one.seen) : silent(row, one.silent, one.atMs);
  });
  await updateRows(writer, known);
  await insertTransitions(writer, transitions);
  return transitions;
}

function envoyOf(news: StateNews): string {
  return 'seen' in news ? news.seen.envoyId : news.silent.envoyId;
}

function seen(row: Known, event: FleetEvents['envoy.seen']): Transition[] {
  const { envoyId, lastSeenMs, driftRuns = 0 } = event;
  const state = event.state === changedOnce ? stateNumber('converged') : event.state;
  if (lastSeenMs < (row.last_seen_ms ?? 0)) return [];
  const agentVersion = event.agentVersion.slice(0, textLimit);
  if (row.policy_version !== event.policyVersion || row.agent_version !== agentVersion) {
    row.versioned = true;
  }
  row.last_seen_ms = lastSeenMs;
  row.policy_version = event.policyVersion;
  row.agent_version = agentVersion;
  row.touched = true;
  return move(row, { envoyId, to: state, atMs: lastSeenMs, driftRuns });
}

/** An envoy that never was there has no data; it cannot fall silent. */
function silent(
  row: Known,
  { envoyId, lastSeenMs }: FleetEvents['envoy.silent'],
  atMs: number,
): Transition[] {
  if (row.last_seen_ms === null && lastSeenMs === 0) return [];
  // Another shard heard of it since.
  if (lastSeenMs > 0 && (row.last_seen_ms ?? 0) > lastSeenMs) return [];
  row.last_seen_ms = Math.max(row.last_seen_ms ?? 0, lastSeenMs);
  row.touched = true;
  return move(row, { envoyId, to: offline, atMs, driftRuns: 0 });
}

function move(
  row: Known,
  { envoyId, to, atMs, driftRuns }: Pick<Transition, 'envoyId' | 'to' | 'atMs' | 'driftRuns'>,
): Transition[] {
  if (row.state === to) return [];
  const since = row.state_since_ms;
  const transition = {
    envoyId,
    hostname: row.hostname,
    atMs,
    from: row.state,
    to,
    afterMs: since === null ? null : Math.max(0, atMs - since),
    driftRuns,
    policyVersion: row.policy_version ?? 0,
  };
  row.state = to;
  row.state_since_ms = atMs;
  row.moved = true;
  return [transition];
}

async function readKnown(writer: Writer, ids: readonly string[]): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  for (let at = 0; at < ids.length; at += insertChunk) {
    const rows = await writer
      .selectFrom('envoys')
      .select(['envoy_id', 'hostname', 'state', 'state_since_ms', 'last_seen_ms'])
      .select(['policy_version', 'agent_version', 'revoked_at_ms'])
      .where('envoy_id', 'in', ids.slice(at, at + insertChunk))
      .execute();
    for (const { envoy_id, ...row } of rows) {
      known.set(envoy_id, { ...row, touched: false, moved: false, versioned: false });
    }
  }
  return known;
}

/** Indexed columns only when they changed: SQLite writes their index again for the same value too. */
async function updateRows(writer: Writer, known: ReadonlyMap<string, Known>): Promise<void> {
  const touched = [...known].filter(([, row]) => row.touched);
  for (const isVersioned of [false, true]) {
    for (const isMoved of [false, true]) {
      const rows = touched.filter(
        ([, { versioned, moved }]) => versioned === isVersioned && moved === isMoved,
      );
      if (rows.length > 0) await updateAlike(writer, rows, isVersioned, isMoved);
    }
  }
}

async function updateAlike(
  writer: Writer,
  rows: readonly (readonly [envoyId: string, row: Known])[],
  isVersioned: boolean,
  isMoved: boolean,
): Promise<void> {
  const notes = rows.map(([envoyId, row]) => [
    ...[envoyId, row.last_seen_ms, row.policy_version, row.agent_version],
    ...[row.state, row.state_since_ms],
  ]);
  const versions = sql`, policy_version = note.value ->> 2, agent_version = note.value ->> 3`;
  const state = sql`, state = note.value ->> 4, state_since_ms = note.value ->> 5`;
  await sql`update envoys set last_seen_ms = note.value ->> 1
      ${isVersioned ? versions : sql``} ${isMoved ? state : sql``}
    from json_each(${JSON.stringify(notes)}) as note
    where envoys.envoy_id = note.value ->> 0`.execute(writer);
}

async function insertTransitions(
  writer: Writer,
  transitions: readonly Transition[],
): Promise<void> {
  for (let at = 0; at < transitions.length; at += insertChunk) {
    const rows = transitions.slice(at, at + insertChunk).map((one) => ({
      envoy_id: one.envoyId,
      at_ms: one.atMs,
      from_state: one.from,
      to_state: one.to,
      after_ms: one.afterMs,
      drift_runs: one.driftRuns,
    }));
    await writer.insertInto('envoy_transitions').values(rows).execute();
  }
  for (const [to, count] of countBy(transitions)) {
    await sql`insert into transition_totals (to_state, transitions) values (${to}, ${count})
      on conflict (to_state) do update set transitions = transitions + ${count}`.execute(writer);
  }
  if (transitions.length > 0) await forgetOldTransitions(writer, transitions);
}

async function forgetOldTransitions(
  writer: Writer,
  transitions: readonly Transition[],
): Promise<void> {
  const ids = JSON.stringify([...new Set(transitions.map((one) => one.envoyId))]);
  await sql`delete from envoy_transitions where transition_id in (
    select old.transition_id from json_each(${ids}) as id
    cross join envoy_transitions as old on old.envoy_id = id.value
    where old.transition_id <= (select transition_id from envoy_transitions
      where envoy_id = id.value order by transition_id desc
      limit 1 offset ${transitionsPerEnvoyLimit}))`.execute(writer);
}

function countBy(transitions: readonly Transition[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { to } of transitions) counts.set(to, (counts.get(to) ?? 0) + 1);
  return counts;
}
