import type Database from 'better-sqlite3';
import type { Kysely } from 'kysely';
import { ServerError } from '../errors.ts';
import type { SavedViewsTable } from './fleet-tables.ts';
import type { SavedView } from './fleet-views.ts';
import type { SinkSchema } from './schema.ts';
import { countSqlStatement } from './statement-counter.ts';

/** Views that one account keeps. */
export const savedViewLimit = 100;

export type SavedViewRecord =
  | { readonly record: 'savedView'; readonly owner: string; readonly view: SavedView }
  | { readonly record: 'savedViewRemoved'; readonly owner: string; readonly name: string };

/** Throws FLEET_VIEW_LIMIT and FLEET_VIEW_UNKNOWN, which undo the whole write. */
export async function applySavedView(
  writer: Kysely<SinkSchema>,
  record: SavedViewRecord,
): Promise<void> {
  const { owner } = record;
  if (record.record === 'savedViewRemoved') {
    const { name } = record;
    const { numDeletedRows } = await writer
      .deleteFrom('saved_views')
      .where('owner', '=', owner)
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) throw new ServerError('FLEET_VIEW_UNKNOWN', { name });
    return;
  }
  const { name, query, changedAtMs } = record.view;
  const row = { query: JSON.stringify(query), changed_at_ms: changedAtMs };
  await writer
    .insertInto('saved_views')
    .values({ owner, name, ...row })
    .onConflict((conflict) => conflict.columns(['owner', 'name']).doUpdateSet(row))
    .execute();
  const { views } = await writer
    .selectFrom('saved_views')
    .select((select) => select.fn.countAll<number>().as('views'))
    .where('owner', '=', owner)
    .executeTakeFirstOrThrow();
  if (views > savedViewLimit) throw new ServerError('FLEET_VIEW_LIMIT', { limit: savedViewLimit });
}

/** By name. */
export function readSavedViews(database: Database.Database, owner: string): SavedView[] {
  countSqlStatement();
  const rows = database
    .prepare<[string], SavedViewsTable>('select * from saved_views where owner = ? order by name')
    .all(owner);
  return rows.map(({ name, query, changed_at_ms: changedAtMs }) => ({
    name,
    query: JSON.parse(query) as SavedView['query'],
    changedAtMs,
  }));
}
