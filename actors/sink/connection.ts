import { closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { SinkSchema } from './schema.ts';
import { countSqlStatement } from './statement-counter.ts';

/** Compiled statements that a connection keeps. */
const statementCacheLimit = 300;
/** How long a statement waits for another program's lock, blocking its thread. */
const lockWaitMs = 200;
const privateFileMode = 0o600;
/**
 * Of the writer, kilobytes. It adds at the end, and the kernel has the file's pages as well: with better-sqlite3's
 * 16 MB a report cost the same within the noise, and memory grew for hours until they were full.
 */
const writerCacheKb = 4_096;
/** Pages of a copy between two looks at other work: one megabyte. */
const copiedPages = 256;

export interface SinkConnection {
  readonly kysely: Kysely<SinkSchema>;
  /** SQLite's online backup: writes go on meanwhile, and the copy has them. */
  copyTo(file: string, progress: (done: number, total: number) => void): Promise<void>;
  close(): void;
}

/**
 * Opens the database for the one writer. `synchronous = FULL`: in WAL mode NORMAL would flush only
 * at checkpoints, and a power loss would take back transactions that were acknowledged already.
 * With FULL each commit flushes the WAL, about one fsync a transaction; batches keep that cheap.
 */
export function openSinkConnection(file: string): SinkConnection {
  closeSync(openSync(file, 'a', privateFileMode));
  const database = new Database(file, { timeout: lockWaitMs });
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma(`cache_size = -${writerCacheKb}`);
  } catch (error) {
    database.close();
    throw error;
  }
  const dialect = new SqliteDialect({ database: countingDatabase(database) });
  return {
    kysely: new Kysely<SinkSchema>({ dialect }),
    copyTo: (to, progress) => copyDatabase(database, to, progress),
    close: () => database.close(),
  };
}

/** Some at a time, so that the thread does other work in between; the copy needs no journal beside it. */
async function copyDatabase(
  database: Database.Database,
  to: string,
  progress: (done: number, total: number) => void,
): Promise<void> {
  await database.backup(to, {
    progress: ({ totalPages, remainingPages }) => {
      progress(totalPages - remainingPages, totalPages);
      return copiedPages;
    },
  });
  const copy = new Database(to);
  try {
    copy.pragma('journal_mode = DELETE');
  } finally {
    copy.close();
  }
}

/** Opens an existing database so that nothing can be written through it. */
export function openReadOnlyDatabase(file: string): Database.Database {
  return new Database(file, { readonly: true, fileMustExist: true, timeout: lockWaitMs });
}

interface KyselyStatement {
  readonly reader: boolean;
  all(parameters: readonly unknown[]): unknown[];
  run(parameters: readonly unknown[]): {
    changes: number | bigint;
    lastInsertRowid: number | bigint;
  };
  iterate(parameters: readonly unknown[]): IterableIterator<unknown>;
}

const nothingToRollBack: KyselyStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

/** What kysely prepares on: counts every execution and compiles each text once. */
function countingDatabase(database: Database.Database): {
  close(): void;
  prepare(text: string): KyselyStatement;
} {
  const cache = new Map<string, KyselyStatement>();
  return {
    close: () => {
      database.close();
    },
    prepare: (text) => {
      // After SQLITE_FULL and the like SQLite has rolled back by itself; a second rollback would
      // fail and hide the first error.
      if (text === 'rollback' && !database.inTransaction) return nothingToRollBack;
      const known = cache.get(text);
      if (known !== undefined) return known;
      const made = counted(database.prepare(text));
      if (cache.size >= statementCacheLimit) {
        for (const oldest of cache.keys()) {
          cache.delete(oldest);
          break;
        }
      }
      cache.set(text, made);
      return made;
    },
  };
}

function counted(statement: Database.Statement): KyselyStatement {
  return {
    reader: statement.reader,
    all: (parameters) => {
      countSqlStatement();
      return statement.all(...parameters);
    },
    run: (parameters) => {
      countSqlStatement();
      return statement.run(...parameters);
    },
    iterate: (parameters) => {
      countSqlStatement();
      return statement.iterate(...parameters);
    },
  };
}
