import type { ResourceView } from './fleet-views.ts';
import { actionName } from './query-rows.ts';
import type { ResourceResultsTable } from './schema.ts';

export interface ResourceRow extends ResourceResultsTable {
  run_id: string;
  started_at_ms: number;
  changed_at_ms: number | null;
}

export function resourceView(row: ResourceRow): ResourceView {
  return {
    id: row.resource_id,
    type: row.type,
    action: actionName(row.action),
    reason: row.reason,
    errorCode: row.error_code,
    runId: row.run_id,
    runStartedAtMs: row.started_at_ms,
    changedAtMs: row.changed_at_ms ?? undefined,
  };
}
