import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyChain } from '../../audit/chain.ts';
import type { BackupSummary } from '../../backup/messages.ts';
import { ServerError } from '../../errors.ts';
import { readAuditRows } from '../../sink/audit-rows.ts';
import { openReadOnlyDatabase } from '../../sink/connection.ts';
import { loadConfig } from '../config/load.ts';
import { makeDirectory, privateFileMode } from '../home/files.ts';
import { type HomeLayout, homeLayout } from '../home/layout.ts';
import { freshDirectory, resumeRestore, type SwapPlan, swapHome } from './swap.ts';
import { type BackupSource, unpackBackup } from './unpack.ts';

export interface RestoreOrder extends BackupSource {
  readonly home: string;
  /** Replace a server that lives there. */
  readonly force: boolean;
  readonly nowMs: number;
  /** Called before each change of the home. */
  readonly step?: () => void;
}

export interface Restored {
  readonly home: string;
  readonly summary: BackupSummary;
  /** Hex: of the key that signs the restored server's policy. */
  readonly publicKey: string;
  /** What was replaced; absent when nothing was. */
  readonly replaced?: string;
  /** Entries of the replaced audit log, which envoys may have seen; 0 when there was none. */
  readonly auditEntriesBefore: number;
}

/** What the next start tells the audit log. */
export interface RestoredMark {
  readonly backup: string;
  readonly createdAtMs: number;
  readonly restoredAtMs: number;
  readonly auditEntries: number;
  readonly auditEntriesBefore: number;
}

/**
 * Puts a backup in the place of a home, whose lock the caller holds. Everything is unpacked and checked
 * first; until then, and after a failure, the home is as it was. Rejects with BACKUP_*.
 */
export async function restoreBackup(order: RestoreOrder): Promise<Restored> {
  const layout = homeLayout(order.home);
  await resumeRestore(layout);
  const isUsed = existsSync(layout.marker) || existsSync(layout.database);
  if (isUsed && !order.force) {
    throw new ServerError('BACKUP_HOME_IN_USE', { home: layout.root });
  }
  const fresh = freshDirectory(layout);
  await makeDirectory(fresh);
  let committed = false;
  try {
    const { manifest, publicKey } = await unpackBackup(order, fresh);
    await checkHome(layout, fresh, manifest.database.path);
    const auditEntriesBefore = countEntries(layout.database);
    const { content: _, database, ...summary } = manifest;
    const mark: RestoredMark = {
      backup: order.file.split('/').at(-1) ?? '',
      createdAtMs: summary.createdAtMs,
      restoredAtMs: order.nowMs,
      auditEntries: summary.auditEntries,
      auditEntriesBefore,
    };
    await writeFile(join(fresh, 'restored.json'), JSON.stringify(mark), { mode: privateFileMode });
    const plan = await planOf(layout, fresh, order.nowMs);
    await swapHome(layout, plan, () => {
      order.step?.();
      committed = true;
    });
    const replaced = plan.moves.some(({ old }) => old)
      ? { replaced: join(layout.replacedDirectory, plan.keptAs) }
      : {};
    return { home: layout.root, summary, publicKey, auditEntriesBefore, ...replaced };
  } catch (error) {
    if (!committed) await resumeRestore(layout).catch(() => undefined);
    throw error;
  }
}

/** The unpacked home, looked at as a server would: its settings, its database, its audit log. */
async function checkHome(layout: HomeLayout, fresh: string, databasePath: string): Promise<void> {
  const { configFile } = homeLayout(fresh);
  const config = await loadConfig({ file: configFile, home: layout.root });
  if (config.database.file !== join(layout.root, databasePath)) {
    const reason = `its settings look for the database in ${config.database.file}`;
    throw new ServerError('BACKUP_DAMAGED', { reason });
  }
  const file = join(fresh, databasePath);
  const opened = openReadOnlyDatabase(file);
  try {
    const [first] = opened.pragma('integrity_check(1)') as { integrity_check: string }[];
    if (first?.integrity_check !== 'ok') {
      const reason = `the database: ${first?.integrity_check}`;
      throw new ServerError('BACKUP_DAMAGED', { reason });
    }
  } finally {
    opened.close();
  }
  await verifyChain(readAuditRows(file));
}

/** What is the server's alone goes; what is beside it (backups, earlier restores) stays. */
async function planOf(layout: HomeLayout, fresh: string, nowMs: number): Promise<SwapPlan> {
  const incoming = new Set(await readdir(fresh));
  const own = [layout.stateDirectory, layout.runFile, layout.databaseDirectory].map((path) =>
    path.slice(layout.root.length + 1),
  );
  const names = [...new Set([...incoming, ...own])].sort();
  return {
    keptAs: new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, ''),
    moves: names.map((name) => ({
      name,
      old: existsSync(join(layout.root, name)),
      fresh: incoming.has(name),
    })),
  };
}

function countEntries(database: string): number {
  try {
    const opened = openReadOnlyDatabase(database);
    try {
      return Number(opened.prepare('SELECT max(sequence) FROM audit_log').pluck().get() ?? 0);
    } finally {
      opened.close();
    }
  } catch {
    // A database that cannot be read is why somebody restores.
    return 0;
  }
}
