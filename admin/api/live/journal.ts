import type { LiveEvent } from '../../../actors/events/messages.ts';

/** What decides who is told of an event. */
export interface EventHead {
  readonly type: string;
  readonly envoyId?: string | undefined;
  readonly auditSequence?: number | undefined;
}

/** An event with its id, as it goes out. */
export interface JournalEntry extends EventHead {
  readonly id: number;
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
 * so that a viewer who comes back with an id of an earlier life is told of the gap. Of an event only
 * its head and its text are kept: as an object it would take as much again.
 */
export class EventJournal {
  readonly #limits: JournalLimits;
  /** A ring: the place of an entry is its id modulo the size. */
  readonly #entries: (JournalEntry | undefined)[];
  #characters = 0;
  #newest: number;
  #oldestCursor: number;

  constructor(startedAtMs: number, limits: JournalLimits = journalLimits) {
    this.#newest = Math.max(0, Math.floor(startedAtMs)) * idsPerMs;
    this.#oldestCursor = this.#newest;
    this.#limits = limits;
    this.#entries = new Array<undefined>(limits.entriesMax).fill(undefined);
  }

  /** The id of the last event. */
  get newest(): number {
    return this.#newest;
  }

  append(event: LiveEvent): JournalEntry {
    const { entriesMax, charactersMax } = this.#limits;
    if (this.#size === entriesMax) this.#drop();
    this.#newest += 1;
    const entry = entryOf(this.#newest, event);
    this.#entries[this.#newest % entriesMax] = entry;
    this.#characters += entry.json.length;
    while (this.#characters > charactersMax && this.#size > 1) this.#drop();
    return entry;
  }

  /** Something is missing here: whoever saw less than what follows has a gap. */
  cut(): void {
    this.#newest += 1;
    this.#oldestCursor = this.#newest;
    this.#entries.fill(undefined);
    this.#characters = 0;
  }

  /** True when every event behind this id is here. */
  holds(id: number): boolean {
    return id >= this.#oldestCursor && id <= this.#newest;
  }

  /** At most `limit` events behind an id, oldest first; of those that it `holds`. */
  after(id: number, limit: number): readonly JournalEntry[] {
    const { entriesMax } = this.#limits;
    const from = Math.max(id, this.#oldestCursor);
    const count = Math.max(0, Math.min(limit, this.#newest - from));
    const at = (from + 1) % entriesMax;
    const found = this.#entries.slice(at, at + count);
    found.push(...this.#entries.slice(0, count - found.length));
    return found.filter((entry) => entry !== undefined);
  }

  get #size(): number {
    return this.#newest - this.#oldestCursor;
  }

  #drop(): void {
    this.#oldestCursor += 1;
    const at = this.#oldestCursor % this.#limits.entriesMax;
    this.#characters -= this.#entries[at]?.json.length ?? 0;
    this.#entries[at] = undefined;
  }
}

function entryOf(id: number, event: LiveEvent): JournalEntry {
  const { type, envoyId, auditSequence } = event;
  return { id, type, envoyId, auditSequence, json: JSON.stringify({ id, ...event }) };
}
