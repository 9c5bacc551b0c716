import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError, reasonOf } from './errors.ts';
import {
  type Environment,
  internalKeys,
  openEnvironment,
  storeFormat,
} from './lmdb-environment.ts';
import { probeExit } from './lmdb-probe.ts';
import { rowIsIntact } from './store-rows.ts';

/** A file that no row was ever written to is not larger. */
const unusedFileBytes = 32 * 1024;

/**
 * Child process of `probeStore`: reads every row, and writes a compact copy. The copy has a new
 * list of free pages: a damaged one would end the process at some later write.
 */
async function probe(directory: string, target: string): Promise<void> {
  const environment = openEnvironment({ directory, readOnly: false });
  checkFormat(environment, statSync(join(directory, 'data.mdb')).size);
  const counts = new Map<string, number>();
  for (const { key, value } of environment.getRange({ start: '\u0001' })) {
    const table = key.slice(0, key.indexOf('\u0000'));
    counts.set(table, (counts.get(table) ?? 0) + 1);
    if (!rowIsIntact(value)) {
      throw new RuntimeError('RUNTIME_STORE_CORRUPTED', { reason: `a row of ${table} is damaged` });
    }
  }
  for (const [table, count] of counts) checkCount(environment, table, count);
  await environment.backup(target, true).catch((error: unknown) => {
    // The rows are whole; on a full disk the store starts without the copy, to be read and emptied.
    if (!/space|quota/i.test(reasonOf(error))) throw error;
    rmSync(target, { recursive: true, force: true });
  });
  await environment.close();
}

function checkFormat(environment: Environment, fileBytes: number): void {
  const found = environment.getBinary(internalKeys.format)?.toString('latin1');
  // Killed between making the file and its first commit: nothing was ever stored.
  if (found === undefined && fileBytes <= unusedFileBytes) return;
  if (found === String(storeFormat)) return;
  const details = { found: found ?? 'none', expected: storeFormat };
  throw new RuntimeError('RUNTIME_STORE_FORMAT', details);
}

function checkCount(environment: Environment, table: string, count: number): void {
  const stored = environment.getBinary(internalKeys.count(table))?.toString('latin1');
  if (stored === String(count)) return;
  const reason = `${table} has ${count} rows and says ${stored}`;
  throw new RuntimeError('RUNTIME_STORE_CORRUPTED', { reason });
}

function exitCode(error: unknown): number {
  if (error instanceof RuntimeError && error.code === 'RUNTIME_STORE_FORMAT')
    return probeExit.format;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const errnoAccess = [1, 13];
  return typeof code === 'number' && errnoAccess.includes(code)
    ? probeExit.unreadable
    : probeExit.corrupted;
}

try {
  await probe(process.argv[2] ?? '', process.argv[3] ?? '');
} catch (error) {
  process.stdout.write(`${reasonOf(error)}\n`);
  process.exitCode = exitCode(error);
}
