import type Database from 'better-sqlite3';
import type { PlannedGroup } from '../plan/messages.ts';
import type {
  FidelityMiss,
  FidelityRow,
  FidelityView,
  PlanListItem,
  PlanView,
  RehearsalSummary,
} from '../plan/view.ts';
import type { PlansTable } from './plan-tables.ts';
import { actionName } from './query-rows.ts';
import { rehearsedResources, type VariantRow } from './rehearsal-rows.ts';
import { Statements } from './statements.ts';

const silentLimit = 100;
const missLimit = 200;
/** Different answers of one plan that are looked at. */
const variantLimit = 20_000;

/** What people ask about plans; see SinkQueries. */
export class PlanQueries {
  readonly #statements: Statements;

  constructor(database: Database.Database) {
    this.#statements = new Statements(database);
  }

  list(limit: number): PlanListItem[] {
    const text = 'SELECT * FROM plans WHERE complete = 1 ORDER BY created_at_ms DESC LIMIT ?';
    return this.#all<PlansTable>(text, limit).map((row) => ({
      id: row.plan_id,
      createdAtMs: row.created_at_ms,
      createdBy: row.created_by,
      contentHash: row.stack_hash,
      baseVersion: row.base_version,
      envoys: row.envoys,
      asked: row.asked,
    }));
  }

  /** Ids of complete plans that begin so, at most two. */
  ids(prefix: string): string[] {
    const text = `SELECT plan_id FROM plans WHERE complete = 1 AND plan_id >= ? AND plan_id < ? LIMIT 2`;
    return this.#all<{ plan_id: string }>(text, prefix, `${prefix}~`).map((row) => row.plan_id);
  }

  /** The newest plan whose outcome was compared. */
  lastCompared(): string | undefined {
    const text = `SELECT plan_id FROM plans WHERE plan_id IN
      (SELECT plan_id FROM plan_envoys WHERE scored_version IS NOT NULL)
      ORDER BY created_at_ms DESC LIMIT 1`;
    return this.#all<{ plan_id: string }>(text)[0]?.plan_id;
  }

  plan(id: string, nowMs: number): PlanView | undefined {
    const row = this.#row(id);
    if (row === undefined) return undefined;
    const groups = JSON.parse(row.groups) as PlannedGroup[];
    const summary: Record<string, number> = {};
    for (const { resources } of groups)
      for (const { change } of resources) summary[change] = (summary[change] ?? 0) + 1;
    return {
      id: row.plan_id,
      createdAtMs: row.created_at_ms,
      createdBy: row.created_by,
      contentHash: row.stack_hash,
      baseVersion: row.base_version,
      fleet: row.fleet,
      envoys: row.envoys,
      groups,
      summary,
      ...(row.asked === 0 ? {} : { live: this.#rehearsal(row, nowMs) }),
    };
  }

  fidelity(id: string): FidelityView | undefined {
    const row = this.#row(id);
    if (row === undefined) return undefined;
    const types = this.#all<FidelityRow>(
      `SELECT basis, type, predicted, matching, assumed, undetermined, unpredicted
        FROM plan_scores
        WHERE plan_id = ? ORDER BY basis, type`,
      id,
    );
    const determined = types.reduce((sum, one) => sum + one.predicted - one.undetermined, 0);
    const matching = types.reduce((sum, one) => sum + one.matching, 0);
    const versions = this.#all<{ version: number; envoys: number }>(
      `SELECT scored_version AS version, count(*) AS envoys FROM plan_envoys
        WHERE plan_id = ? AND scored_version IS NOT NULL GROUP BY scored_version`,
      id,
    );
    const misses = this.#misses(id, false);
    return {
      planId: row.plan_id,
      createdAtMs: row.created_at_ms,
      contentHash: row.stack_hash,
      versions: versions.map(({ version }) => version),
      envoys: {
        changing: row.envoys,
        compared: versions.reduce((sum, { envoys }) => sum + envoys, 0),
      },
      ...(determined === 0 ? {} : { score: matching / determined }),
      types,
      misses,
      undetermined: this.#misses(id, true),
      moreMisses: determined - matching - misses.length,
    };
  }

  #row(id: string): PlansTable | undefined {
    return this.#all<PlansTable>('SELECT * FROM plans WHERE plan_id = ? AND complete = 1', id)[0];
  }

  #rehearsal({ plan_id: id, asked, deadline_ms }: PlansTable, nowMs: number): RehearsalSummary {
    const answered = this.#all<{ count: number }>(
      'SELECT count(*) AS count FROM plan_envoys WHERE plan_id = ? AND answered_at_ms IS NOT NULL',
      id,
    )[0]!.count;
    const silent = this.#all<{ hostname: string }>(
      `SELECT hostname FROM plan_envoys JOIN envoys USING (envoy_id)
        WHERE plan_id = ? AND asked = 1 AND answered_at_ms IS NULL
        ORDER BY hostname LIMIT ${silentLimit}`,
      id,
    );
    const troubles = this.#all<{ hostname: string; trouble: string }>(
      `SELECT hostname, trouble FROM plan_envoys JOIN envoys USING (envoy_id)
        WHERE plan_id = ? AND trouble <> '' ORDER BY hostname LIMIT ${silentLimit}`,
      id,
    );
    const totals = this.#all<{ id: string; envoys: number }>(
      `SELECT r.resource_id AS id, count(*) AS envoys FROM plan_envoys e
        JOIN plan_resources r ON r.plan_id = e.plan_id AND r.group_index = e.group_index
        WHERE e.plan_id = ? AND e.answered_at_ms IS NOT NULL AND e.trouble = ''
        GROUP BY r.resource_id`,
      id,
    );
    const variants = this.#all<VariantRow>(
      `SELECT resource_id AS id, type, action, assumed, reason, diff, error_code AS errorCode,
          count(*) AS envoys, min(hostname) AS hostname
        FROM plan_predictions JOIN envoys USING (envoy_id) WHERE plan_id = ?
        GROUP BY resource_id, type, action, assumed, reason, diff, error_code
        ORDER BY count(*) DESC LIMIT ${variantLimit}`,
      id,
    );
    const resources = rehearsedResources(
      variants,
      new Map(totals.map((row) => [row.id, row.envoys])),
    );
    const summary: Record<string, number> = {};
    for (const { actions } of resources)
      for (const action of Object.keys(actions))
        if (action !== 'none') summary[action] = (summary[action] ?? 0) + 1;
    return {
      asked,
      answered,
      deadlineMs: deadline_ms,
      over: answered >= asked || nowMs >= deadline_ms,
      silent: silent.map(({ hostname }) => hostname),
      troubles,
      resources,
      summary,
    };
  }

  #misses(id: string, assumed: boolean): FidelityMiss[] {
    type Row = Omit<FidelityMiss, 'predicted' | 'actual' | 'assumed'> & {
      predicted: number;
      actual: number;
      assumed: number;
    };
    return this.#all<Row>(
      `SELECT hostname, resource_id AS resource, type, basis, predicted, actual, assumed, reason
        FROM plan_misses JOIN envoys USING (envoy_id)
        WHERE plan_id = ? AND assumed = ?
        ORDER BY type, resource_id, hostname LIMIT ${missLimit}`,
      id,
      Number(assumed),
    ).map((row) => ({
      ...row,
      predicted: actionName(row.predicted),
      actual: actionName(row.actual),
      assumed: row.assumed === 1,
    }));
  }

  #all<Row>(text: string, ...parameters: unknown[]): Row[] {
    return this.#statements.all(text, parameters);
  }
}
