import type { ServerFigures } from '../fleet/server-under-test.ts';

/** What had happened at some moment. */
export interface Spent {
  readonly atMs: number;
  /** CPU of the server since its start. */
  readonly serverUs: number;
  /** Check-ins missed so far. */
  readonly missed: number;
  /** Acknowledged so far; each is an event. */
  readonly reports: number;
}

/** So many looks in a row must agree. */
const looks = 3;
/** By how much the cores that the server keeps busy may differ between them. */
const toleranceShare = 0.2;
const toleranceCores = 0.08;

/** Knows when a server does the same from second to second, and has nothing left to write but the news. */
export class Calm {
  #cores: number[] = [];

  /** What speaks against it; undefined when the server is calm. */
  look(before: Spent, now: Spent, figures: ServerFigures): string | undefined {
    this.#cores.push((now.serverUs - before.serverUs) / 1000 / (now.atMs - before.atMs));
    this.#cores = this.#cores.slice(-looks);
    const outbox = figures.shards.reduce((sum, { outboxEntries }) => sum + outboxEntries, 0);
    const waiting = outbox + (figures.sink?.waitingEvents ?? 0);
    if (waiting > now.reports - before.reports)
      return `${waiting} events are not in the database yet`;
    const missed = now.missed - before.missed;
    if (missed > 0) return `${missed} check-ins of the last second missed their deadline`;
    const [most, least] = [Math.max(...this.#cores), Math.min(...this.#cores)];
    if (this.#cores.length < looks) return 'the server was hardly looked at';
    if (most - least <= Math.max(toleranceCores, most * toleranceShare)) return undefined;
    return `the server's load changes between ${least.toFixed(2)} and ${most.toFixed(2)} cores`;
  }
}
