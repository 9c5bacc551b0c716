import type { Turn } from '../../runtime/actor.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { FleetChange } from './fleet-groups.ts';
import type { PlannedGroupDetail } from './planner.ts';

const sinkDeadlineMs = 60_000;
/** Rows of one part of a plan. */
const partLimit = 5_000;

export interface StoredPlan {
  readonly id: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly contentHash: string;
  readonly baseVersion: number;
  readonly deadlineMs: number;
  readonly change: FleetChange;
  readonly details: readonly PlannedGroupDetail[];
  readonly asked: ReadonlySet<string>;
}

/** In parts, so that a plan of a large fleet holds up nobody's reports; it counts with the last one. */
export async function storePlan(turn: Turn<undefined>, plan: StoredPlan): Promise<void> {
  const write = async (record: SinkRecord): Promise<void> => {
    await turn.ask(sinkAddress(), 'write', { records: [record], audit: [] }, sinkDeadlineMs);
  };
  const planId = plan.id;
  const { change, details, asked } = plan;
  await write({
    record: 'plan',
    plan: {
      plan_id: planId,
      created_at_ms: plan.createdAtMs,
      created_by: plan.createdBy,
      stack_hash: plan.contentHash,
      base_version: plan.baseVersion,
      fleet: change.fleet,
      envoys: change.groups.reduce((sum, { members }) => sum + members.length, change.ungrouped),
      asked: asked.size,
      deadline_ms: plan.deadlineMs,
      groups: JSON.stringify(details.map(({ planned }) => planned)),
    },
  });
  for (const [groupIndex, { newRoot, members }] of change.groups.entries())
    for (const part of parts(members)) {
      const envoys = part.map(({ envoyId }) => {
        return { envoyId, groupIndex, root: newRoot, asked: asked.has(envoyId) };
      });
      await write({ record: 'planEnvoys', planId, envoys });
    }
  for (const [group_index, { expected }] of details.entries())
    for (const part of parts(expected)) {
      const resources = part.map(({ id: resource_id, type, action }) => {
        return { group_index, resource_id, type, action };
      });
      await write({ record: 'planResources', planId, resources });
    }
  await write({ record: 'planComplete', planId });
}

function* parts<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += partLimit) yield rows.slice(at, at + partLimit);
}
