import { AdminError } from '../../errors.ts';
import { pageQuery } from '../schemas.ts';

/** What a list takes whose rows are all at hand; without `limit` it answers with all of them. */
export const wholeListQuery = {
  limit: pageQuery.limit,
  cursor: pageQuery.cursor,
};

/**
 * A page of a list that is at hand. The cursor names the last row, so that rows which come or go
 * meanwhile neither repeat nor hide others. Throws API_CURSOR_GONE when that row is no longer there.
 */
export function pageOfAll<Row>(
  rows: readonly Row[],
  { limit, cursor }: { limit?: number | undefined; cursor?: string | undefined },
  keyOf: (row: Row) => string,
): { items: readonly Row[]; next?: string } {
  const from = cursor === undefined ? 0 : indexBehind(rows, cursor, keyOf);
  const items = limit === undefined ? rows.slice(from) : rows.slice(from, from + limit);
  const last = items.at(-1);
  if (last === undefined || from + items.length >= rows.length) return { items };
  return { items, next: cursorOf(keyOf(last)) };
}

function indexBehind<Row>(
  rows: readonly Row[],
  cursor: string,
  keyOf: (row: Row) => string,
): number {
  const at = rows.findIndex((row) => cursorOf(keyOf(row)) === cursor);
  if (at === -1) throw new AdminError('API_CURSOR_GONE');
  return at + 1;
}

function cursorOf(key: string): string {
  return Buffer.from(JSON.stringify([key])).toString('base64url');
}

/** Throws API_BAD_REQUEST for what none of our lists has given out. */
export function checkCursor(cursor: string | undefined): void {
  if (cursor === undefined) return;
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return;
  } catch {
    // Said below.
  }
  throw new AdminError('API_BAD_REQUEST', 'query/cursor is no `next` of a page');
}
