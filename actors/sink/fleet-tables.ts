import { type Generated, type Kysely, sql } from 'kysely';
import { rebuildTraitIndex } from './trait-index.ts';

/** Tables of what the fleet is and was: states, traits by value, figures over time, saved views. */
export interface FleetSchema {
  envoy_transitions: TransitionsTable;
  transition_totals: { to_state: number; transitions: number };
  envoy_numbers: { number: number; envoy_id: string };
  trait_terms: { term: number; path: string; value: string };
  trait_postings: { term: number; envoy: number };
  fleet_history: FleetHistoryTable;
  fleet_days: FleetDaysTable;
  saved_views: SavedViewsTable;
}

export interface TransitionsTable {
  transition_id: Generated<number>;
  envoy_id: string;
  at_ms: number;
  from_state: number;
  to_state: number;
  /** How long it had been in the state that it left; null where nobody knows. */
  after_ms: number | null;
  drift_runs: number;
}

/** One row per step: a minute for a day, an hour for a year. */
export interface FleetHistoryTable {
  /** 60000 or 3600000. */
  step_ms: number;
  /** The beginning of the step. */
  at_ms: number;
  /** JSON: envoys by state at the end of the step, in the order of `envoyStates`. */
  states: string;
  /** What the figures below cover; less than a step when the server was not there all the time. */
  covered_ms: number;
  check_ins: number;
  reports: number;
  /** Microseconds; 0 = nothing was measured. Of an hour: of its worst minute. */
  latency_p50_us: number;
  latency_p99_us: number;
}

/** What happened on a day, counted as it is written. */
export interface FleetDaysTable {
  /** Midnight, UTC. */
  day_ms: number;
  runs: number;
  runs_with_changes: number;
  runs_failed: number;
  resources_changed: number;
  transitions: number;
}

export interface SavedViewsTable {
  /** "admin:<name>". */
  owner: string;
  name: string;
  /** JSON object. */
  query: string;
  changed_at_ms: number;
}

/** `changed` (2) was a state of envoys once; what was repaired is converged. */
export async function createFleetStateTables(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await addEnvoyColumns(database);
  await schema
    .createTable('envoy_transitions')
    .addColumn('transition_id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('envoy_id', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('from_state', 'integer', (column) => column.notNull())
    .addColumn('to_state', 'integer', (column) => column.notNull())
    .addColumn('after_ms', 'bigint')
    .addColumn('drift_runs', 'integer', (column) => column.notNull())
    .execute();
  await schema
    .createIndex('envoy_transitions_envoy')
    .on('envoy_transitions')
    .columns(['envoy_id', 'transition_id'])
    .execute();
  await schema
    .createIndex('envoy_transitions_at')
    .on('envoy_transitions')
    .column('at_ms')
    .execute();
  await schema
    .createTable('transition_totals')
    .addColumn('to_state', 'integer', (column) => column.primaryKey())
    .addColumn('transitions', 'bigint', (column) => column.notNull())
    .execute();
  await createHistoryTables(database);
  await createTraitTables(database);
}

/** For what pages and metrics count; each is written only when what it holds changes. */
export async function createFleetIndexes(database: Kysely<unknown>): Promise<void> {
  await sql`create index envoys_revoked on envoys (revoked_at_ms)
    where revoked_at_ms is not null`.execute(database);
  await sql`create index envoys_maintenance on envoys (state)
    where maintenance is not null`.execute(database);
  await sql`create index envoys_versions on envoys (policy_version, agent_version)
    where revoked_at_ms is null`.execute(database);
}

async function addEnvoyColumns(database: Kysely<unknown>): Promise<void> {
  for (const column of ['state_since_ms', 'maintenance']) {
    const type = column === 'maintenance' ? 'text' : 'bigint';
    await database.schema.alterTable('envoys').addColumn(column, type).execute();
  }
  await database.schema
    .alterTable('envoys')
    .addColumn('os', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
  await sql`update envoys set state = 1 where state = 2`.execute(database);
  // Counting by state and paging through a state read nothing but these.
  await sql`create index envoys_state on envoys (state, hostname, envoy_id)
    where revoked_at_ms is null`.execute(database);
}

async function createHistoryTables(database: Kysely<unknown>): Promise<void> {
  await sql`create table fleet_history (
    step_ms bigint not null, at_ms bigint not null, states text not null,
    covered_ms bigint not null, check_ins bigint not null, reports bigint not null,
    latency_p50_us bigint not null, latency_p99_us bigint not null,
    primary key (step_ms, at_ms)) without rowid`.execute(database);
  await sql`create table fleet_days (
    day_ms bigint primary key, runs bigint not null, runs_with_changes bigint not null,
    runs_failed bigint not null, resources_changed bigint not null,
    transitions bigint not null)`.execute(database);
  await database.schema
    .createTable('saved_views')
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('query', 'text', (column) => column.notNull())
    .addColumn('changed_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('saved_views_key', ['owner', 'name'])
    .execute();
}

/** Decision 0036 has the measurements that chose this form. */
async function createTraitTables(database: Kysely<unknown>): Promise<void> {
  await sql`create table envoy_numbers (
    number integer primary key, envoy_id text not null unique)`.execute(database);
  await sql`create table trait_terms (
    term integer primary key, path text not null, value text not null, unique (path, value))`.execute(
    database,
  );
  await sql`create table trait_postings (
    term integer not null, envoy integer not null, primary key (term, envoy)) without rowid`.execute(
    database,
  );
  await rebuildTraitIndex(database as Parameters<typeof rebuildTraitIndex>[0]);
}
