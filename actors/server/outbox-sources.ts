import { LmdbReader } from '../../runtime/lmdb-reader.ts';
import { OutboxReader } from '../../runtime/outbox.ts';
import type { OutboxSource } from '../sink/actor.ts';

interface Opened {
  readonly reader: LmdbReader;
  readonly outbox: OutboxReader;
}

/** The shards' outboxes for the sink: opened when first read, and again when a store was replaced. */
export class OutboxSources {
  readonly #directories: ReadonlyMap<string, string>;
  readonly #opened = new Map<string, Opened>();

  /** Thread name -> directory of its store. */
  constructor(directories: ReadonlyMap<string, string>) {
    this.#directories = directories;
  }

  get origins(): string[] {
    return [...this.#directories.keys()];
  }

  /** Undefined while the thread has no store. */
  of(origin: string): OutboxSource | undefined {
    const opened = this.#open(origin);
    return (
      opened && {
        read: (after, limit) => opened.outbox.read(after, limit),
        storeId: () => opened.reader.storeId,
      }
    );
  }

  /** Events that wait in all outboxes, and when the oldest of them happened. */
  waiting(): { readonly events: number; readonly oldestMs: number | undefined } {
    let events = 0;
    let oldestMs: number | undefined;
    for (const origin of this.origins) {
      const opened = this.#open(origin);
      if (opened === undefined) continue;
      events += opened.outbox.count();
      const atMs = opened.outbox.read(0, 1)[0]?.event.atMs;
      if (atMs !== undefined && atMs < (oldestMs ?? Number.POSITIVE_INFINITY)) oldestMs = atMs;
    }
    return { events, oldestMs };
  }

  close(): void {
    for (const { reader } of this.#opened.values()) reader.close();
    this.#opened.clear();
  }

  #open(origin: string): Opened | undefined {
    const known = this.#opened.get(origin);
    if (known?.reader.isCurrent()) return known;
    known?.reader.close();
    this.#opened.delete(origin);
    const directory = this.#directories.get(origin);
    if (directory === undefined) return undefined;
    try {
      const reader = new LmdbReader(directory);
      const opened = { reader, outbox: new OutboxReader(reader) };
      this.#opened.set(origin, opened);
      return opened;
    } catch {
      return undefined;
    }
  }
}
