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
  /** Entries that are kept as objects too, for viewers who are up to date. */
  readonly recentMax: number;
}

export const journalLimits: JournalLimits = {
  entriesMax: 8_192,
  charactersMax: 8 * 1024 * 1024,
  recentMax: 256,
};

/** Ids that one millisecond of start time stands for: a later life begins above an earlier one. */
const idsPerMs = 4096;

/**
 * The last live events, in memory. Ids rise by one, and from one life of the server to the next,
 * so that a viewer who comes back with an id of an earlier life is told of the gap. Older events
 * are kept as text only: as objects they would take four times as much, and are rarely asked for.
 */
export class EventJournal {
  readonly #limits: JournalLimits;
  /** Rings: the place of an entry is its id modulo their size. */
  readonly #texts: string[] = [];
  readonly #recent: JournalEntry[] = [];
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
    const { entriesMax, charactersMax, recentMax } = this.#limits;
    if (this.#size === entriesMax) this.#drop();
    this.#newest += 1;
    const id = this.#newest;
    const json = JSON.stringify({ id, ...event });
    const entry = { id, event, json };
    this.#texts[id % entriesMax] = json;
    this.#recent[id % recentMax] = entry;
    this.#characters += json.length;
    while (this.#characters > charactersMax && this.#size > 1) this.#drop();
    return entry;
  }

  /** Something is missing here: whoever saw less than what follows has a gap. */
  cut(): void {
    this.#newest += 1;
    this.#oldestCursor = this.#newest;
    this.#texts.length = 0;
    this.#recent.length = 0;
    this.#characters = 0;
  }

  /** True when every event behind this id is here. */
  holds(id: number): boolean {
    return id >= this.#oldestCursor && id <= this.#newest;
  }

  /** At most `limit` events behind an id, oldest first; of those that it `holds`. */
  after(id: number, limit: number): readonly JournalEntry[] {
    const from = Math.max(id, this.#oldestCursor);
    const count = Math.max(0, Math.min(limit, this.#newest - from));
    return Array.from({ length: count }, (_, at) => this.#entry(from + 1 + at));
  }

  get #size(): number {
    return this.#newest - this.#oldestCursor;
  }

  #entry(id: number): JournalEntry {
    const recent = this.#recent[id % this.#limits.recentMax];
    return recent?.id === id ? recent : new StoredEntry(id, this.#text(id));
  }

  #text(id: number): string {
    return this.#texts[id % this.#limits.entriesMax] ?? '';
  }

  #drop(): void {
    this.#oldestCursor += 1;
    const id = this.#oldestCursor;
    this.#characters -= this.#text(id).length;
    this.#texts[id % this.#limits.entriesMax] = '';
  }
}

/** An entry that was kept as text: read where somebody looks at its event. */
class StoredEntry implements JournalEntry {
  readonly id: number;
  readonly json: string;

  constructor(id: number, json: string) {
    this.id = id;
    this.json = json;
  }

  get event(): LiveEvent {
    const { id: _, ...event } = JSON.parse(this.json) as LiveEvent & { readonly id: number };
    return event;
  }
}
