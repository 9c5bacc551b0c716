import type { Socket } from 'node:net';
import type { Clock } from '../../../runtime/ports/clock.ts';

/** Connections that may wait for their handshake; more are closed at once. */
export const waitingHandshakeLimit = 10_000;
/** A handshake takes several round trips; for so long after its begin it counts as under way. */
const handshakeMs = 250;
/** An agent gives up connecting after 10 s; a handshake begun later is wasted. */
const waitLimitMs = 8_000;

interface Waiting {
  readonly socket: Socket;
  readonly sinceMs: number;
}

/**
 * Begins TLS handshakes at a measured rate: each costs milliseconds of this thread, and a herd that
 * comes back after a restart must not push aside the check-ins of those who are in already.
 */
export class HandshakeGate {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #begin: (socket: Socket) => void;
  readonly #dropped: (socket: Socket) => void;
  #waiting: Waiting[] = [];
  #tokens: number;
  #filledAtMs: number;
  #scheduled = false;
  #begunAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    clock: Clock,
    perSecond: number,
    begin: (socket: Socket) => void,
    dropped: (socket: Socket) => void,
  ) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#begin = begin;
    this.#dropped = dropped;
    this.#tokens = perSecond;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Handshakes wait or are under way. */
  get isBusy(): boolean {
    const sinceMs = this.#clock.monotonicMs() - this.#begunAtMs;
    return this.#waiting.length > 0 || sinceMs < handshakeMs;
  }

  enter(socket: Socket): void {
    if (this.#waiting.length >= waitingHandshakeLimit) {
      this.#drop(socket);
      return;
    }
    this.#waiting.push({ socket, sinceMs: this.#clock.monotonicMs() });
    this.#serve();
  }

  #serve(): void {
    const nowMs = this.#clock.monotonicMs();
    const earned = ((nowMs - this.#filledAtMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#filledAtMs = nowMs;
    let served = 0;
    for (const { socket, sinceMs } of this.#waiting) {
      if (socket.destroyed) {
        served += 1;
      } else if (nowMs - sinceMs > waitLimitMs) {
        served += 1;
        this.#drop(socket);
      } else if (this.#tokens >= 1) {
        served += 1;
        this.#tokens -= 1;
        this.#begunAtMs = nowMs;
        this.#begin(socket);
      } else break;
    }
    this.#waiting.splice(0, served);
    if (this.#waiting.length === 0 || this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(Math.ceil(1000 / this.#perSecond), () => {
      this.#scheduled = false;
      this.#serve();
    });
  }

  #drop(socket: Socket): void {
    this.#dropped(socket);
    socket.destroy();
  }
}
