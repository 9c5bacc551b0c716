import type { ActorSystem } from '../../runtime/actor.ts';
import type { Clock, TimerHandle } from '../../runtime/ports/clock.ts';
import { envoyLimit } from '../policy/tables.ts';
import { type EnvoySeen, lastSeenPerMessage, sinkAddress } from '../sink/messages.ts';

const flushEveryMs = 1_000;
/** A fleet that connected at once is due at once: of what waits this part leaves per flush, so that SQL sees no wave. */
const partPerFlush = 1 / 8;
const leastPerFlush = 250;
/** Envoys of one shard that may wait; whoever finds no room is told of a minute later. */
const waitingLimit = envoyLimit;

/**
 * Gathers, on a fleet shard, what the database is to hear of envoys of which nothing changed: when they
 * were last seen. It goes to the sink in packed messages and not through the outbox, because a lost
 * one costs no more than a `last seen` that is a minute older.
 */
export class LastSeen {
  readonly #clock: Clock;
  #waiting: EnvoySeen[] = [];
  #flush: TimerHandle | undefined;
  #system: Pick<ActorSystem, 'tell'> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(system: Pick<ActorSystem, 'tell'>): void {
    this.#system = system;
  }

  stop(): void {
    this.#flush?.cancel();
    this.#flush = undefined;
    this.#system = undefined;
    this.#waiting = [];
  }

  note(seen: EnvoySeen): void {
    if (this.#waiting.length >= waitingLimit) return;
    this.#waiting.push(seen);
    this.#flushSoon();
  }

  #flushSoon(): void {
    this.#flush ??= this.#clock.after(flushEveryMs, () => this.#send(), { unref: true });
  }

  #send(): void {
    this.#flush = undefined;
    const part = Math.ceil(this.#waiting.length * partPerFlush);
    const leaving = this.#waiting.splice(0, Math.max(part, leastPerFlush));
    for (let at = 0; at < leaving.length; at += lastSeenPerMessage) {
      const seen = leaving.slice(at, at + lastSeenPerMessage);
      this.#system?.tell(sinkAddress(), 'lastSeen', { seen });
    }
    if (this.#waiting.length > 0) this.#flushSoon();
  }
}
