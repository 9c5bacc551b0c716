import { RuntimeError, reasonOf } from './errors.ts';
import {
  type Environment,
  internalKeys,
  isDiskFull,
  openEnvironment,
  storeFormat,
} from './lmdb-environment.ts';
import { probeExit } from './lmdb-probe.ts';
import { rowIsIntact } from './store-rows.ts';

/**
 * Child process of `probeStore`: reads everything that a start could reach, and takes the write
 * path once so that the list of free pages is read too.
 */
async function probe(directory: string): Promise<void> {
  const environment = openEnvironment({ directory, readOnly: false });
  checkFormat(environment);
  const counts = new Map<string, number>();
  for (const { key, value } of environment.getRange({ start: '\u0001' })) {
    const table = key.slice(0, key.indexOf('\u0000'));
    counts.set(table, (counts.get(table) ?? 0) + 1);
    if (!rowIsIntact(value)) {
      throw new RuntimeError('RUNTIME_STORE_CORRUPTED', { reason: `a row of ${table} is damaged` });
    }
  }
  for (const [table, count] of counts) checkCount(environment, table, count);
  tryWrite(environment);
  await environment.close();
}

function tryWrite(environment: Environment): void {
  const mark = environment.getBinary(internalKeys.sequence);
  if (mark === undefined) return;
  const value = Buffer.from(mark);
  try {
    environment.transactionSync(() => {
      environment.put(internalKeys.sequence, value);
    });
  } catch (error) {
    // A full disk is no damage; the store will say so itself.
    if (!isDiskFull(error)) throw error;
  }
}

function checkFormat(environment: Environment): void {
  const found = environment.getBinary(internalKeys.format)?.toString('latin1');
  // Killed between making the file and its first commit: nothing was ever stored.
  if (found === undefined && environment.getBinary(internalKeys.sequence) === undefined) return;
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
  await probe(process.argv[2] ?? '');
} catch (error) {
  process.stdout.write(`${reasonOf(error)}\n`);
  process.exitCode = exitCode(error);
}
