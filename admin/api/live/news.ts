import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import type { EventReader } from './event-access.ts';
import type { EventFilter } from './filter.ts';
import type { EventJournal, JournalEntry } from './journal.ts';
import type { LiveOutlet } from './outlet.ts';

/**
 * All who are due within a round are told of the same moment, spread over the round: what one of them
 * then asks for serves the others, and they do not all ask at once.
 */
const roundMs = 2_000;
const tickMs = 100;
/**
 * All readers together are told so often a second at most, because each then asks for a page: the more
 * there are, the slower the pace of each. Up to 65 are told every five seconds, 200 every 15.
 */
export const tellingsPerSecond = 13;

/** Somebody who wants to know that something happened, not what. */
export interface NewsReader {
  readonly filter: EventFilter;
  readonly reader: EventReader;
  readonly outlet: LiveOutlet;
  /** At most so often. */
  readonly everyMs: number;
  /** The id of the event up to which it knows. */
  position: number;
  /** Monotonic. */
  toldAtMs: number;
}

/** Readers of the same filter and rights: an event is looked at once for all of them. */
interface Group {
  readonly key: string;
  readonly reader: EventReader;
  readonly filter: EventFilter;
  /** Events behind this id were looked at. */
  readonly since: number;
  /** By type, the id of the last event. */
  readonly last: Map<string, number>;
  newest: number;
  members: number;
}

/** Tells readers in rounds that there is news: one small message for whatever happened meanwhile. */
export class NewsRounds {
  readonly #clock: Clock;
  readonly #journal: EventJournal;
  readonly #mayWrite: (reader: NewsReader) => boolean;
  readonly #groups = new Map<string, Group>();
  /** Those that were told longest ago come first. */
  readonly #readers = new Map<NewsReader, Group>();
  #round: NewsReader[] = [];
  #roundPosition = 0;
  #roundBeganMs = Number.NEGATIVE_INFINITY;
  #batch = 1;
  #timer: TimerHandle | undefined;

  /** `mayWrite`: false for a reader that does not take what it was told before. */
  constructor(clock: Clock, journal: EventJournal, mayWrite: (reader: NewsReader) => boolean) {
    this.#clock = clock;
    this.#journal = journal;
    this.#mayWrite = mayWrite;
  }

  add(reader: NewsReader): void {
    const group = this.#groupOf(reader);
    group.members += 1;
    if (reader.position < group.since) {
      look(group, this.#journal.after(reader.position, Number.MAX_SAFE_INTEGER));
    }
    this.#readers.set(reader, group);
    if (group.newest > reader.position) this.#wake();
  }

  remove(reader: NewsReader): void {
    const group = this.#readers.get(reader);
    if (group === undefined) return;
    this.#readers.delete(reader);
    group.members -= 1;
    if (group.members === 0) this.#groups.delete(group.key);
  }

  /** What came into the journal. */
  take(entries: readonly JournalEntry[]): void {
    let isNews = false;
    for (const group of this.#groups.values()) isNews = look(group, entries) || isNews;
    if (isNews) this.#wake();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #groupOf({ reader, filter }: NewsReader): Group {
    const key = `${reader.key} ${filter.key}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const { newest: since } = this.#journal;
    const group = { key, reader, filter, since, last: new Map(), newest: 0, members: 0 };
    this.#groups.set(key, group);
    return group;
  }

  /** While a round goes on the next one waits for its end. */
  #wake(): void {
    if (this.#round.length > 0) return;
    this.#timer?.cancel();
    this.#step();
  }

  #step(): void {
    this.#timer = undefined;
    if (this.#round.length === 0 && !this.#begin()) return;
    for (const reader of this.#round.splice(0, this.#batch)) this.#tell(reader);
    if (this.#round.length > 0) this.#again(tickMs);
    else if (this.#begin()) this.#again(0);
  }

  /** False when there is nothing to tell yet; what is to be told later is then waited for. */
  #begin(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const waiting = [...this.#readers]
      .filter(([reader, group]) => group.newest > reader.position)
      .map(([reader]) => reader);
    if (waiting.length === 0) return false;
    const earliestMs = waiting.reduce(
      (least, reader) => Math.min(least, this.#dueMs(reader)),
      Number.POSITIVE_INFINITY,
    );
    const beginMs = Math.max(this.#roundBeganMs + roundMs, earliestMs);
    if (beginMs > nowMs) {
      this.#again(beginMs - nowMs);
      return false;
    }
    this.#round = waiting.filter((reader) => this.#dueMs(reader) <= nowMs + roundMs);
    this.#roundPosition = this.#journal.newest;
    this.#roundBeganMs = nowMs;
    this.#batch = Math.ceil((this.#round.length * tickMs) / roundMs);
    return true;
  }

  #tell(reader: NewsReader): void {
    const group = this.#readers.get(reader);
    const id = this.#roundPosition;
    if (group === undefined || reader.position >= id || !this.#mayWrite(reader)) return;
    const types = [...group.last].filter(([, at]) => at > reader.position).map(([type]) => type);
    reader.position = id;
    reader.toldAtMs = this.#clock.monotonicMs();
    this.#readers.delete(reader);
    this.#readers.set(reader, group);
    reader.outlet.notify({ type: 'news', id, data: { types } });
  }

  /** Those who want to be told equally often are due together, whenever they came. */
  #dueMs({ toldAtMs, everyMs }: NewsReader): number {
    const paceMs = Math.max(everyMs, (this.#readers.size / tellingsPerSecond) * 1000);
    return (Math.floor(toldAtMs / paceMs) + 1) * paceMs;
  }

  #again(afterMs: number): void {
    this.#timer = this.#clock.after(afterMs, () => this.#step(), { unref: true });
  }
}

function look(group: Group, entries: readonly JournalEntry[]): boolean {
  let isNews = false;
  for (const entry of entries) {
    if (!group.filter.accepts(entry) || !group.reader.mayRead(entry)) continue;
    const { id, type } = entry;
    group.last.set(type, Math.max(id, group.last.get(type) ?? 0));
    group.newest = Math.max(id, group.newest);
    isNews = true;
  }
  return isNews;
}
