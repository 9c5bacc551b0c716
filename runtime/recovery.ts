import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RuntimeError, reasonOf } from './errors.ts';
import { internalKeys, openEnvironment, storeFormat } from './lmdb-environment.ts';
import { type ProbeResult, probeStore } from './lmdb-probe.ts';
import { LmdbStore } from './lmdb-store.ts';
import { removeOwnerMark, writeOwnerMark } from './owner-mark.ts';
import type { Clock } from './ports/clock.ts';
import type { Random } from './ports/random.ts';

/** Damaged stores kept beside the store for a look; older ones are removed. */
export const keptCorruptLimit = 3;
/** Default of `mapLimitBytes`. */
export const defaultMapLimitBytes = 16 * 1024 ** 3;

/** Why the store that is open now is not the one that was there before. State must be rebuilt. */
export interface Recovery {
  readonly reason: 'corrupted' | 'unreadable' | 'format';
  readonly detail: string;
  /** Where the damaged files are. */
  readonly movedTo: string;
}

export interface OpenOptions {
  /** The environment's own directory; made when absent. Everything in it belongs to the store. */
  readonly directory: string;
  readonly ports: { readonly clock: Clock; readonly random: Random };
  readonly mapLimitBytes?: number;
  readonly readerSlots?: number;
}

export interface OpenedStore {
  readonly store: LmdbStore;
  /** True when the directory held no store, also after a recovery. */
  readonly created: boolean;
  readonly recovery: Recovery | undefined;
}

/**
 * Opens or creates the store of this thread. A store that was not closed cleanly is opened and
 * read whole in a child process first: LMDB trusts its pages and may end the process on damaged
 * ones. What cannot be read is moved aside and an empty store takes its place.
 */
export async function openLmdbStore(options: OpenOptions): Promise<OpenedStore> {
  const { directory } = options;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw openFailed(directory, error);
  }
  const verdict = await inspect(directory).catch((error: unknown) => {
    throw error instanceof RuntimeError ? error : openFailed(directory, error);
  });
  let recovery: Recovery | undefined;
  if (verdict.state === 'damaged') recovery = await moveAside(options, verdict);
  try {
    return open(options, recovery);
  } catch (error) {
    if (recovery !== undefined) throw openFailed(directory, error);
    recovery = await moveAside(options, { reason: 'corrupted', detail: reasonOf(error) });
  }
  try {
    return open(options, recovery);
  } catch (error) {
    throw openFailed(directory, error);
  }
}

function openFailed(directory: string, error: unknown): RuntimeError {
  return new RuntimeError(
    'RUNTIME_STORE_OPEN_FAILED',
    { directory, reason: reasonOf(error) },
    { cause: error },
  );
}

type Verdict = { readonly state: 'empty' | 'whole' } | ProbeResult;

async function inspect(directory: string): Promise<Verdict> {
  const data = fingerprint(directory);
  if (data === undefined) return { state: 'empty' };
  if (readCleanMark(directory) === data) return { state: 'whole' };
  return probeStore(directory);
}

/** Changes with every write to the data file, also with one by another program. */
function fingerprint(directory: string): string | undefined {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(join(directory, 'data.mdb'), { bigint: true });
    return `${storeFormat} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return undefined;
  }
}

function cleanMarkPath(directory: string): string {
  return join(directory, 'closed-cleanly');
}

function readCleanMark(directory: string): string | undefined {
  try {
    return readFileSync(cleanMarkPath(directory), 'utf8');
  } catch {
    return undefined;
  }
}

/** Not worth a failure: without the mark the next start only takes longer. */
function writeCleanMark(directory: string): void {
  try {
    const mark = fingerprint(directory);
    if (mark === undefined) return;
    writeFileSync(cleanMarkPath(directory), mark, { mode: 0o600, flush: true });
  } catch {
    rmSync(cleanMarkPath(directory), { force: true });
  }
}

function removeCleanMark(directory: string): void {
  rmSync(cleanMarkPath(directory), { force: true });
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function open(options: OpenOptions, recovery: Recovery | undefined): OpenedStore {
  const { directory } = options;
  const environment = openEnvironment({
    directory,
    readOnly: false,
    ...(options.readerSlots === undefined ? {} : { readerSlots: options.readerSlots }),
  });
  try {
    removeCleanMark(directory);
    const created = environment.getBinary(internalKeys.format) === undefined;
    if (created) {
      environment.transactionSync(() => {
        environment.put(internalKeys.format, Buffer.from(String(storeFormat)));
        environment.put(
          internalKeys.storeId,
          Buffer.from(String(newStoreId(options.ports.random))),
        );
      });
    }
    const storeId = Number(environment.getBinary(internalKeys.storeId)?.toString('latin1'));
    if (!Number.isSafeInteger(storeId)) throw new TypeError('its identity is unreadable');
    const store = new LmdbStore({
      environment,
      directory,
      storeId,
      clock: options.ports.clock,
      mapLimitBytes: options.mapLimitBytes ?? defaultMapLimitBytes,
      onClosed: async (clean) => {
        removeOwnerMark(directory);
        if (clean) writeCleanMark(directory);
      },
    });
    writeOwnerMark(directory);
    return { store, created, recovery };
  } catch (error) {
    environment.close();
    throw error;
  }
}

function newStoreId(random: Random): number {
  const bytes = Buffer.from(random.bytes(8));
  return Number(bytes.readBigUInt64LE() >> 11n) || 1;
}

async function moveAside(
  options: OpenOptions,
  why: Pick<Recovery, 'reason' | 'detail'>,
): Promise<Recovery> {
  const { directory } = options;
  const stem = `${directory}.corrupt-${options.ports.clock.nowMs()}`;
  try {
    const taken = new Set(await readdir(dirname(directory)));
    let number = 0;
    while (taken.has(basename(`${stem}-${number}`))) number += 1;
    const movedTo = `${stem}-${number}`;
    await rename(directory, movedTo);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await removeOldest(directory);
    return { reason: why.reason, detail: why.detail, movedTo };
  } catch (error) {
    throw openFailed(directory, error);
  }
}

async function removeOldest(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.corrupt-`;
  const parent = dirname(directory);
  const order = (name: string): [number, number] => {
    const [time, number] = name.slice(prefix.length).split('-').map(Number);
    return [time ?? 0, number ?? 0];
  };
  const found = (await readdir(parent))
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
  for (const name of found.slice(0, -keptCorruptLimit)) {
    await rm(join(parent, name), { recursive: true, force: true });
  }
}
