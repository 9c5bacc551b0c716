import type { LiveBatch, LiveEvent } from '../../../actors/events/messages.ts';
import type { Clock, TimerHandle } from '../../../runtime/ports/clock.ts';
import { AdminError, type AdminErrorCode } from '../../errors.ts';
import type { Principal } from '../authenticate.ts';
import { type EventReader, eventReader, type FindFacts } from './event-access.ts';
import { cachedFacts } from './facts-cache.ts';
import type { EventFilter } from './filter.ts';
import { EventJournal, type JournalEntry } from './journal.ts';
import { type NewsReader, NewsRounds } from './news.ts';
import { EventChunk, type LiveConnection, type LiveOutlet, type StreamNotice } from './outlet.ts';

export interface HubLimits {
  readonly viewersMax: number;
  readonly viewersPerNameMax: number;
  /** Bytes that wait for one viewer before it gets no more for now. */
  readonly waitingBytesMax: number;
  /** For a viewer that takes nothing of what waits. */
  readonly stalledMs: number;
  /** How often credentials are checked again. */
  readonly recheckMs: number;
  readonly beatMs: number;
  /** The least time between two sendings: what comes meanwhile goes out together. */
  readonly sendEveryMs: number;
}

export const hubLimits: HubLimits = {
  viewersMax: 1_500,
  viewersPerNameMax: 300,
  waitingBytesMax: 64 * 1024,
  stalledMs: 30_000,
  recheckMs: 2_000,
  beatMs: 15_000,
  sendEveryMs: 200,
};

const entriesPerChunk = 256;
/** Events after which somebody may have lost what a stream was opened with. */
const accessChanges = /^(access|account|session|login|auth)\./;

export interface Subscription {
  readonly filter: EventFilter;
  /** The id behind which to begin; undefined: with what comes from now on. */
  readonly after: number | undefined;
  /** Milliseconds: it is told at most so often that there is news; absent: of every event. */
  readonly everyMs?: number;
  /** It was here before: what it missed is not to wait. */
  readonly comesBack?: boolean;
  readonly asker: Principal;
  /** Who asks now, with the credential that the stream was opened with; throws when it ended. */
  readonly recheck: () => Principal;
}

interface Viewer extends Subscription {
  readonly outlet: LiveOutlet;
  reader: EventReader;
  /** The id of the last event that was looked at for this viewer. */
  position: number;
  /** Monotonic; used of viewers that are told of news. */
  toldAtMs: number;
  /** Monotonic; since when something waits without a byte taken; undefined: nothing waits. */
  waitingSinceMs: number | undefined;
}

/**
 * Hands events to everybody who watches. Viewers have no queue of their own but a place in the one
 * journal: a slow one falls behind, and is let go when its place is no longer there.
 */
export class EventHub {
  readonly journal: EventJournal;
  readonly #clock: Clock;
  readonly #facts: FindFacts;
  readonly #limits: HubLimits;
  readonly #news: NewsRounds;
  readonly #viewers = new Set<Viewer>();
  readonly #ended = new Map<string, number>();
  readonly #notes: Record<string, unknown> = {};
  #source: string | undefined;
  #number = 0;
  #timer: TimerHandle | undefined;
  #sending: TimerHandle | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #beatAtMs = 0;
  #recheckIsDue = false;

  /** `facts`: of an envoy, from the database; asked rarely. */
  constructor(
    clock: Clock,
    facts: FindFacts,
    limits: HubLimits = hubLimits,
    journal?: EventJournal,
  ) {
    this.#clock = clock;
    this.#facts = cachedFacts(facts, () => clock.monotonicMs());
    this.#limits = limits;
    this.journal = journal ?? new EventJournal(clock.nowMs());
    this.#news = new NewsRounds(clock, this.journal, (reader) => this.#takes(reader as Viewer));
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Streams that the server ended, by the code of the reason. */
  get ended(): ReadonlyMap<string, number> {
    return this.#ended;
  }

  /** From the service thread. A hole in the numbers is a gap for everybody. */
  take({ source, number, events }: LiveBatch): void {
    const follows = this.#source === source ? this.#number + 1 : 1;
    const isNew = this.#source !== undefined && this.#source !== source;
    if (isNew || number !== follows) this.#gap();
    this.#source = source;
    this.#number = number;
    this.tell(events);
  }

  tell(events: readonly LiveEvent[]): void {
    this.#news.take(events.map((event) => this.journal.append(event)));
    this.#pumpSoon();
    if (events.some(({ type }) => accessChanges.test(type))) this.#recheckSoon();
  }

  /** What the journal holds behind an id for this reader and filter, and whether there is a gap before it. */
  page(
    { filter, after, asker }: Omit<Subscription, 'recheck'>,
    limit: number,
  ): { entries: readonly JournalEntry[]; next: number; gap: boolean } {
    const { journal } = this;
    if (after === undefined) return { entries: [], next: journal.newest, gap: false };
    if (!journal.holds(after)) return { entries: [], next: journal.newest, gap: true };
    const reader = eventReader(asker, this.#facts);
    const found = journal.after(after, limit);
    const entries = found.filter((entry) => filter.accepts(entry) && reader.mayRead(entry));
    return { entries, next: found.at(-1)?.id ?? after, gap: false };
  }

  /** Throws EVENTS_TOO_MANY_VIEWERS; asked before the stream is promised. */
  admit({ name }: Principal): void {
    const { viewersMax, viewersPerNameMax } = this.#limits;
    const own = [...this.#viewers].filter(({ asker }) => asker.name === name).length;
    if (own >= viewersPerNameMax || this.#viewers.size >= viewersMax) {
      throw new AdminError('EVENTS_TOO_MANY_VIEWERS');
    }
  }

  /** Something that every viewer is told when its stream begins. */
  note(name: string, value: unknown): void {
    this.#notes[name] = value;
  }

  open(subscription: Subscription, outlet: LiveOutlet): LiveConnection {
    const { newest } = this.journal;
    const { after = newest, asker, comesBack = false } = subscription;
    const viewer: Viewer = {
      ...subscription,
      outlet,
      reader: eventReader(asker, this.#facts),
      position: after,
      toldAtMs: comesBack ? Number.NEGATIVE_INFINITY : this.#clock.monotonicMs(),
      waitingSinceMs: undefined,
    };
    this.#viewers.add(viewer);
    if (this.journal.holds(after)) {
      outlet.notify({ type: 'hello', id: after, data: { ...this.#notes } });
    } else {
      viewer.position = newest;
      outlet.notify(resetNotice(newest));
    }
    if (isNewsReader(viewer)) this.#news.add(viewer);
    else this.#pump(viewer, new Map());
    this.#schedule();
    return {
      drained: () => {
        viewer.waitingSinceMs = undefined;
        if (!isNewsReader(viewer)) this.#pump(viewer, new Map());
      },
      closed: () => this.#remove(viewer),
    };
  }

  /** Ends every stream: the server stops. */
  close(): void {
    this.#timer?.cancel();
    this.#sending?.cancel();
    this.#news.close();
    for (const viewer of [...this.#viewers]) this.#end(viewer, 'EVENTS_SERVER_STOPS');
  }

  #gap(): void {
    this.journal.cut();
    const { newest } = this.journal;
    for (const viewer of this.#viewers) {
      viewer.position = newest;
      viewer.outlet.notify(resetNotice(newest));
    }
  }

  /** At once when nothing was sent lately: a write to every viewer costs more than what is in it. */
  #pumpSoon(): void {
    if (this.#sending !== undefined) return;
    const waitMs = this.#sentAtMs + this.#limits.sendEveryMs - this.#clock.monotonicMs();
    if (waitMs <= 0) {
      this.#pumpAll();
      return;
    }
    const send = (): void => {
      this.#sending = undefined;
      this.#pumpAll();
    };
    this.#sending = this.#clock.after(waitMs, send, { unref: true });
  }

  #pumpAll(): void {
    this.#sentAtMs = this.#clock.monotonicMs();
    const made = new Map<string, EventChunk>();
    for (const viewer of [...this.#viewers]) if (!isNewsReader(viewer)) this.#pump(viewer, made);
  }

  /** False when too much waits for it already. */
  #takes(viewer: Viewer): boolean {
    if (viewer.outlet.waitingBytes <= this.#limits.waitingBytesMax) return true;
    viewer.waitingSinceMs ??= this.#clock.monotonicMs();
    return false;
  }

  #remove(viewer: Viewer): boolean {
    if (isNewsReader(viewer)) this.#news.remove(viewer);
    return this.#viewers.delete(viewer);
  }

  /** `made`: chunks that viewers of the same place, filter and rights share. */
  #pump(viewer: Viewer, made: Map<string, EventChunk>): void {
    const { outlet, filter } = viewer;
    while (viewer.position < this.journal.newest) {
      if (!this.#takes(viewer)) {
        if (!this.journal.holds(viewer.position)) this.#end(viewer, 'EVENTS_TOO_SLOW');
        return;
      }
      if (!this.journal.holds(viewer.position)) {
        this.#end(viewer, 'EVENTS_TOO_SLOW');
        return;
      }
      const { position, reader } = viewer;
      const key = `${position} ${reader.key} ${filter.key}`;
      const found = this.journal.after(position, entriesPerChunk);
      const chunk =
        made.get(key) ??
        new EventChunk(found.filter((entry) => filter.accepts(entry) && reader.mayRead(entry)));
      made.set(key, chunk);
      viewer.position = found.at(-1)?.id ?? this.journal.newest;
      if (chunk.entries.length > 0) outlet.send(chunk);
    }
  }

  #end(viewer: Viewer, code: AdminErrorCode): void {
    if (!this.#remove(viewer)) return;
    this.#ended.set(code, (this.#ended.get(code) ?? 0) + 1);
    const { message, remedy } = new AdminError(code);
    viewer.outlet.end({ type: 'end', id: viewer.position, data: { code, message, remedy } });
  }

  #recheckSoon(): void {
    if (this.#recheckIsDue) return;
    this.#recheckIsDue = true;
    this.#clock.soon(() => {
      this.#recheckIsDue = false;
      this.#recheck();
    });
  }

  #schedule(): void {
    this.#timer ??= this.#clock.after(
      this.#limits.recheckMs,
      () => {
        this.#timer = undefined;
        this.#recheck();
        this.#lookAfter();
        if (this.#viewers.size > 0) this.#schedule();
      },
      { unref: true },
    );
  }

  /** A credential that ended ends its streams; one that may do less sees less. */
  #recheck(): void {
    for (const viewer of [...this.#viewers]) {
      try {
        this.#mayRead(viewer, eventReader(viewer.recheck(), this.#facts));
      } catch (error) {
        const known = error instanceof AdminError && error.code === 'API_FORBIDDEN';
        this.#end(viewer, known ? 'API_FORBIDDEN' : 'EVENTS_CREDENTIAL_ENDED');
      }
    }
  }

  #mayRead(viewer: Viewer, reader: EventReader): void {
    const isSame = reader.key === viewer.reader.key;
    if (isSame) return;
    if (isNewsReader(viewer)) this.#news.remove(viewer);
    viewer.reader = reader;
    if (isNewsReader(viewer)) this.#news.add(viewer);
  }

  #lookAfter(): void {
    const nowMs = this.#clock.monotonicMs();
    const beats = nowMs - this.#beatAtMs >= this.#limits.beatMs;
    if (beats) this.#beatAtMs = nowMs;
    for (const viewer of [...this.#viewers]) {
      const { waitingSinceMs, outlet } = viewer;
      if (waitingSinceMs !== undefined && nowMs - waitingSinceMs > this.#limits.stalledMs) {
        this.#end(viewer, 'EVENTS_TOO_SLOW');
      } else if (beats && outlet.waitingBytes === 0) outlet.beat();
    }
  }
}

function isNewsReader(viewer: Viewer): viewer is Viewer & NewsReader {
  return viewer.everyMs !== undefined;
}

function resetNotice(id: number): StreamNotice {
  const { code, message, remedy } = new AdminError('EVENTS_GAP');
  return { type: 'reset', id, data: { code, message, remedy } };
}
