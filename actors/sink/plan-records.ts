import type { Transaction } from 'kysely';
import { planKeepLimit } from '../plan/messages.ts';
import { insertChunk } from './limits.ts';
import { type PlanResourcesTable, type PlansTable, planTableNames } from './plan-tables.ts';
import type { SinkSchema } from './schema.ts';

type Writer = Transaction<SinkSchema>;

/** A plan comes in parts; it counts when the last one is there. */
export type PlanRecord =
  | { readonly record: 'plan'; readonly plan: Omit<PlansTable, 'complete'> }
  | {
      readonly record: 'planEnvoys';
      readonly planId: string;
      readonly envoys: readonly {
        readonly envoyId: string;
        readonly groupIndex: number;
        readonly root: string;
        readonly asked: boolean;
      }[];
    }
  | {
      readonly record: 'planResources';
      readonly planId: string;
      readonly resources: readonly Omit<PlanResourcesTable, 'plan_id'>[];
    }
  | { readonly record: 'planComplete'; readonly planId: string };

export async function applyPlanRecord(writer: Writer, record: PlanRecord): Promise<void> {
  switch (record.record) {
    case 'plan':
      await writer
        .insertInto('plans')
        .values({ ...record.plan, complete: 0 })
        .execute();
      return await forgetOldPlans(writer);
    case 'planEnvoys':
      return await inChunks(record.envoys, async (envoys) => {
        const rows = envoys.map(({ envoyId, groupIndex, root, asked }) => ({
          plan_id: record.planId,
          envoy_id: envoyId,
          group_index: groupIndex,
          root,
          asked: Number(asked),
          answered_at_ms: null,
          trouble: '',
          partial: 0,
          scored_version: null,
        }));
        await writer.insertInto('plan_envoys').values(rows).execute();
      });
    case 'planResources':
      return await inChunks(record.resources, async (resources) => {
        const rows = resources.map((row) => ({ ...row, plan_id: record.planId }));
        await writer.insertInto('plan_resources').values(rows).execute();
      });
    case 'planComplete':
      await writer
        .updateTable('plans')
        .set({ complete: 1 })
        .where('plan_id', '=', record.planId)
        .execute();
  }
}

export async function inChunks<Row>(
  rows: readonly Row[],
  insert: (chunk: readonly Row[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < rows.length; at += insertChunk)
    await insert(rows.slice(at, at + insertChunk));
}

async function forgetOldPlans(writer: Writer): Promise<void> {
  const old = await writer
    .selectFrom('plans')
    .select('plan_id')
    .orderBy('created_at_ms', 'desc')
    .limit(insertChunk)
    .offset(planKeepLimit)
    .execute();
  if (old.length === 0) return;
  const ids = old.map(({ plan_id }) => plan_id);
  for (const table of planTableNames)
    await writer.deleteFrom(table).where('plan_id', 'in', ids).execute();
}
