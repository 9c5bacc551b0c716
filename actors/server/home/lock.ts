import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { ServerError } from '../../errors.ts';
import { privateFileMode } from './files.ts';
import type { HomeLayout } from './layout.ts';

/** Held while a server, or an offline command that writes, uses a home. */
export interface HomeLock {
  release(): void;
}

/**
 * Takes the home for this process, or throws HOME_LOCKED with the holder's process id. The lock is a
 * SQLite file lock: the kernel drops it when the holder dies, however it dies, so that no stale
 * lock and no recycled process id can keep a server from starting.
 */
export function lockHome(layout: HomeLayout, processId: number): HomeLock {
  const database = new Database(layout.lock, { timeout: 0 });
  try {
    // Nothing is ever stored in this file, so it needs no journal beside it.
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ServerError('HOME_UNWRITABLE', { path: layout.lock, reason }, { cause });
    }
    throw new ServerError('HOME_LOCKED', { home: layout.root, pid: holder(layout) }, { cause });
  }
  tellHolder(layout, processId);
  return {
    release: () => {
      rmSync(layout.pid, { force: true });
      database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
}

/** Only for the message to who comes second: the lock holds without it, also on a full disk. */
function tellHolder(layout: HomeLayout, processId: number): void {
  try {
    writeFileSync(layout.pid, `${processId}\n`, { mode: privateFileMode });
  } catch {
    rmSync(layout.pid, { force: true });
  }
}

function holder(layout: HomeLayout): string {
  try {
    return readFileSync(layout.pid, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
