import type { LiveEvent } from '../../../actors/events/messages.ts';

/** An event with its id, and as it goes out. */
export interface JournalEntry {
  readonly id: number;
  readonly event: LiveEvent;
  /** `{"id":...,"type":...}` */
  readonly json: string;
}

export interface JournalLimits {
  readonly entriesMax: number;
  /** Of the JSON texts, characters. */
  readonly charactersMax: number;
}

export const journalLimits: JournalLimits = { entriesMax: 8_192, charactersMax: 8 * 1024 * 1024 };

/** Ids that one millisecond of start time stands for: a later life begins above an earlier one. */
const idsPerMs = 4096;

/**
 * The last live events, in memory. Ids rise by one, and from one life of the server to the next,
 * so that a viewer who comes back with an id of an earlier life is told of the gap.
 */
export class EventJournal {
  readonly #limits: JournalLimits;
  #entries: JournalEntry[] = [];
  /** Entries before this index were dropped; they are cut off from time to time. */
  #from = 0;
  #characters = 0;
  #newest: number;
  #oldestCursor: number;

  constructor(startedAtMs: number, limits: JournalLimits = journalLimits) {
    this.#newest = Math.max(0, Math.floor(startedAtMs)) * idsPerMs;
    this.#oldestCursor = this.#newest;
    this.#limits = limits;
  }

  /** The id of the last event. */
  get newest(): number {
    return this.#newest;
  }

  append(event: LiveEvent): JournalEntry {
    this.#newest += 1;
    const id = this.#newest;
    const json = JSON.stringify({ id, ...event });
    const entry = { id, event, json };
    this.#entries.push(entry);
    this.#characters += json.length;
    const { entriesMax, charactersMax } = this.#limits;
    while (this.#size > entriesMax || (this.#characters > charactersMax && this.#size > 1)) {
      this.#drop();
    }
    return entry;
  }

  /** Something is missing here: whoever saw less than what follows has a gap. */
  cut(): void {
    this.#newest += 1;
    this.#oldestCursor = this.#newest;
    this.#entries = [];
    this.#from = 0;
    this.#characters = 0;
  }

  /** True when every event behind this id is here. */
  holds(id: number): boolean {
    return id >= this.#oldestCursor && id <= this.#newest;
  }

  /** At most `limit` events behind an id, oldest first; of those that it `holds`. */
  after(id: number, limit: number): readonly JournalEntry[] {
    const at = this.#from + Math.max(0, id - this.#oldestCursor);
    return this.#entries.slice(at, at + limit);
  }

  get #size(): number {
    return this.#entries.length - this.#from;
  }

  #drop(): void {
    const dropped = this.#entries[this.#from];
    this.#characters -= dropped?.json.length ?? 0;
    this.#oldestCursor = dropped?.id ?? this.#newest;
    this.#from += 1;
    if (this.#from < this.#limits.entriesMax) return;
    this.#entries = this.#entries.slice(this.#from);
    this.#from = 0;
  }
}
