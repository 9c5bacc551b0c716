import type { HistoryEntry } from './history-entry.ts';
import { encodeRecord, recordHeaderLength, scanLog } from './report-log.ts';
import type { StateFiles } from './state-files.ts';

export const historyFileName = 'history';
/** Beyond this size the file is written anew with what is worth keeping. */
export const historyByteLimit = 4 * 1024 * 1024;
/** What is left of it then. */
const keptByteLimit = 1024 * 1024;
/** Entries of one resource that are kept. */
export const historyPerResource = 20;
/** Entries that wait while the disk refuses them. */
export const historyWaitingLimit = 500;
/** One entry on disk, bytes. */
const entryByteLimit = 32 * 1024;

export interface HistoryLimits {
  readonly bytes?: number;
  readonly keptBytes?: number;
}

/**
 * What happened to the resources of this node, on this node: appended when something happened, never
 * in a pass without news. Bounded: when the file is full, the newest entries stay, and of every
 * resource at least the last one as long as there is room.
 */
export class ResourceHistory {
  readonly #files: StateFiles;
  readonly #limits: Required<HistoryLimits>;
  /** Where the next record goes; undefined before the file was looked at. */
  #end: number | undefined;
  #waiting: HistoryEntry[] = [];

  constructor(files: StateFiles, limits: HistoryLimits = {}) {
    this.#files = files;
    this.#limits = {
      bytes: limits.bytes ?? historyByteLimit,
      keptBytes: limits.keptBytes ?? keptByteLimit,
    };
  }

  /**
   * Durable when it resolves. Rejects with AGENT_STATE_WRITE or AGENT_STATE_READ; the entries then
   * wait for the next call. Without news, and with nothing waiting, the disk is not touched.
   */
  async add(entries: readonly HistoryEntry[]): Promise<void> {
    if (entries.length === 0 && this.#waiting.length === 0) return;
    this.#waiting = [...this.#waiting, ...entries].slice(-historyWaitingLimit);
    this.#end ??= await this.#endOfFile();
    if (this.#end > this.#limits.bytes) await this.#compact();
    const bytes = encodeEntries(this.#waiting);
    await this.#files.append(historyFileName, this.#end, bytes);
    this.#end += bytes.length;
    this.#waiting = [];
  }

  async #endOfFile(): Promise<number> {
    const bytes = await this.#files.read(historyFileName);
    return bytes === undefined ? 0 : scanLog(bytes, entryByteLimit).end;
  }

  async #compact(): Promise<void> {
    const bytes = encodeEntries(worthKeeping(await readHistory(this.#files), this.#limits));
    await this.#files.replace(historyFileName, bytes);
    this.#end = bytes.length;
  }
}

/** Oldest first; what is damaged is left out. Rejects with AGENT_STATE_READ. */
export async function readHistory(files: StateFiles): Promise<HistoryEntry[]> {
  const bytes = await files.read(historyFileName);
  if (bytes === undefined) return [];
  return scanLog(bytes, entryByteLimit).records.flatMap(({ payload }) => decodeEntry(payload));
}

function worthKeeping(
  entries: readonly HistoryEntry[],
  { keptBytes }: Required<HistoryLimits>,
): HistoryEntry[] {
  const newest = entries.toReversed();
  const counts = new Map<string, number>();
  const ranked = newest.map((entry) => {
    const rank = counts.get(entry.id) ?? 0;
    counts.set(entry.id, rank + 1);
    return { entry, rank };
  });
  // The last one of each resource first, then what is newest.
  const order = [
    ...ranked.filter(({ rank }) => rank === 0),
    ...ranked.filter(({ rank }) => rank > 0 && rank < historyPerResource),
  ];
  const kept = new Set<HistoryEntry>();
  let size = 0;
  for (const { entry } of order) {
    size += encodeEntry(entry).length + recordHeaderLength;
    if (size > keptBytes) break;
    kept.add(entry);
  }
  return entries.filter((entry) => kept.has(entry));
}

function encodeEntries(entries: readonly HistoryEntry[]): Uint8Array {
  const records = entries.map((entry) => encodeRecord(encodeEntry(entry)));
  const bytes = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return bytes;
}

function encodeEntry(entry: HistoryEntry): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(entry));
  if (bytes.length <= entryByteLimit) return bytes;
  return new TextEncoder().encode(JSON.stringify({ ...entry, diff: '' }));
}

function decodeEntry(payload: Uint8Array): HistoryEntry[] {
  try {
    const entry = JSON.parse(new TextDecoder().decode(payload)) as Partial<HistoryEntry>;
    const whole = typeof entry.id === 'string' && typeof entry.atMs === 'number';
    return whole ? [entry as HistoryEntry] : [];
  } catch {
    return [];
  }
}
