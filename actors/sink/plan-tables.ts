import type { Kysely } from 'kysely';

export interface PlansTable {
  plan_id: string;
  created_at_ms: number;
  created_by: string;
  stack_hash: string;
  /** The version that it was compared with; 0 = none. */
  base_version: number;
  /** Envoys that the server knew. */
  fleet: number;
  /** Envoys whose bundle would change. */
  envoys: number;
  asked: number;
  /** 0 = no envoy was asked. */
  deadline_ms: number;
  /** JSON: PlannedGroup[]. */
  groups: string;
  /** 1 once every row of the plan is there. */
  complete: number;
}

export interface PlanEnvoysTable {
  plan_id: string;
  envoy_id: string;
  group_index: number;
  /** Hex root of the candidate. */
  root: string;
  asked: number;
  answered_at_ms: number | null;
  /** Why a rehearsal gave no prediction; "" = it gave one. */
  trouble: string;
  /** 1: the answer did not hold every result. */
  partial: number;
  /** The version whose outcome was compared. */
  scored_version: number | null;
}

export interface PlanResourcesTable {
  plan_id: string;
  group_index: number;
  resource_id: string;
  type: string;
  /** agent/protocol ResourceAction that the server expects; -1 = it does not know. */
  action: number;
}

export interface PlanPredictionsTable {
  plan_id: string;
  envoy_id: string;
  resource_id: string;
  type: string;
  action: number;
  assumed: number;
  reason: string;
  diff: string;
  error_code: string;
}

export interface PlanScoresTable {
  plan_id: string;
  /** "live": what the envoys said; "server": what the server expected of those that were not asked. */
  basis: string;
  type: string;
  predicted: number;
  /** Of these, as predicted. */
  matching: number;
  /** Predictions that rested on what processes bring. */
  assumed: number;
  /** Of the assumed ones, those that came otherwise. */
  undetermined: number;
  /** Resources that nothing was predicted of. */
  unpredicted: number;
}

export interface PlanMissesTable {
  plan_id: string;
  envoy_id: string;
  resource_id: string;
  basis: string;
  type: string;
  predicted: number;
  actual: number;
  assumed: number;
  reason: string;
}

export interface PlanSchema {
  plans: PlansTable;
  plan_envoys: PlanEnvoysTable;
  plan_resources: PlanResourcesTable;
  plan_predictions: PlanPredictionsTable;
  plan_scores: PlanScoresTable;
  plan_misses: PlanMissesTable;
}

/** All tables of plans: name, columns of text, of numbers, and the key. */
const tables: readonly {
  readonly name: keyof PlanSchema;
  readonly texts: readonly string[];
  readonly numbers: readonly string[];
  readonly nullable?: readonly string[];
  readonly key: readonly string[];
}[] = [
  {
    name: 'plans',
    texts: ['plan_id', 'created_by', 'stack_hash', 'groups'],
    numbers: [
      'created_at_ms',
      'base_version',
      'fleet',
      'envoys',
      'asked',
      'deadline_ms',
      'complete',
    ],
    key: ['plan_id'],
  },
  {
    name: 'plan_envoys',
    texts: ['plan_id', 'envoy_id', 'root', 'trouble'],
    numbers: ['group_index', 'asked', 'partial'],
    nullable: ['answered_at_ms', 'scored_version'],
    key: ['plan_id', 'envoy_id'],
  },
  {
    name: 'plan_resources',
    texts: ['plan_id', 'resource_id', 'type'],
    numbers: ['group_index', 'action'],
    key: ['plan_id', 'group_index', 'resource_id'],
  },
  {
    name: 'plan_predictions',
    texts: ['plan_id', 'envoy_id', 'resource_id', 'type', 'reason', 'diff', 'error_code'],
    numbers: ['action', 'assumed'],
    key: ['plan_id', 'envoy_id', 'resource_id'],
  },
  {
    name: 'plan_scores',
    texts: ['plan_id', 'basis', 'type'],
    numbers: ['predicted', 'matching', 'assumed', 'unpredicted'],
    key: ['plan_id', 'basis', 'type'],
  },
  {
    name: 'plan_misses',
    texts: ['plan_id', 'envoy_id', 'resource_id', 'basis', 'type', 'reason'],
    numbers: ['predicted', 'actual', 'assumed'],
    key: ['plan_id', 'envoy_id', 'resource_id'],
  },
];

export const planTableNames = tables.map(({ name }) => name);

export async function createPlanTables(database: Kysely<unknown>): Promise<void> {
  for (const { name, texts, numbers, nullable, key } of tables) {
    let table = database.schema.createTable(name);
    for (const column of texts) table = table.addColumn(column, 'text', (it) => it.notNull());
    for (const column of numbers) table = table.addColumn(column, 'bigint', (it) => it.notNull());
    for (const column of nullable ?? []) table = table.addColumn(column, 'bigint');
    await table.addPrimaryKeyConstraint(`${name}_key`, key as never).execute();
  }
  await database.schema.createIndex('plans_stack').on('plans').column('stack_hash').execute();
}

export async function addUndeterminedScores(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .alterTable('plan_scores')
    .addColumn('undetermined', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute();
}
