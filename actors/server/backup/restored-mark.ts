import { rm } from 'node:fs/promises';
import { readOptional } from '../home/files.ts';
import type { HomeLayout } from '../home/layout.ts';
import type { Log } from '../log.ts';
import type { RestoredMark } from './restore.ts';

/**
 * At the first start after a restore: an entry of the audit log, and a word on what envoys will say. The
 * mark goes when the entry is on disk.
 */
export async function tellRestored(
  { restoredFile }: HomeLayout,
  audit: (details: Readonly<Record<string, string | number>>) => Promise<void>,
  log: Log,
): Promise<void> {
  const text = await readOptional(restoredFile);
  if (text === undefined) return;
  const { auditEntries, auditEntriesBefore, ...mark } = JSON.parse(text) as RestoredMark;
  await audit({ ...mark, auditEntries, auditEntriesBefore });
  await rm(restoredFile, { force: true });
  const through = auditEntriesBefore > auditEntries ? auditEntriesBefore : '<entries>';
  const remedy = `vigocli audit acknowledge-restore --through ${through} --reason "..."`;
  log.warn({ ...mark, remedy }, 'restored from a backup; envoys may have seen a longer audit log');
}
