import Database from 'better-sqlite3';

/** A table or an index: its pages in bytes, and its entries. */
export interface DatabaseObject {
  readonly bytes: number;
  readonly rows: number;
}

/** Reads a server's database beside it, without writing. */
export function databaseObjects(file: string): ReadonlyMap<string, DatabaseObject> {
  const database = new Database(file, { readonly: true });
  try {
    const pages = database
      .prepare<[], { name: string; bytes: number; cells: number }>(
        `select name, sum(pgsize) as bytes, sum(case when pagetype = 'leaf' then ncell else 0 end) as cells
         from dbstat group by name`,
      )
      .all();
    return new Map(pages.map(({ name, bytes, cells }) => [name, { bytes, rows: cells }]));
  } finally {
    database.close();
  }
}

export function databaseBytes(objects: ReadonlyMap<string, DatabaseObject>): number {
  return [...objects.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** State of an envoy that is called offline, as the database numbers it (actors/envoy/states.ts). */
const offlineState = 7;

/** How often an envoy was called offline since then (epoch, milliseconds). */
export function offlineAlarms(file: string, sinceMs: number): number {
  const database = new Database(file, { readonly: true });
  try {
    const row = database
      .prepare<[number, number], { alarms: number }>(
        'select count(*) as alarms from envoy_transitions where to_state = ? and at_ms >= ?',
      )
      .get(offlineState, sinceMs);
    return row?.alarms ?? 0;
  } finally {
    database.close();
  }
}
