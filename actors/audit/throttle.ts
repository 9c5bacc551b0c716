import type { AuditEvent } from './event.ts';
import { isFloodable } from './event-types.ts';

/** A subject's floodable events of one type and code are only counted after the first, this long. */
export const throttleWindowMs = 60_000;
/** Subjects that are remembered; the one that was quiet for longest is forgotten first. */
export const throttleSubjectLimit = 10_000;
/** Floodable events of one type that are kept per window, over all subjects. */
export const throttleTypeLimit = 600;

interface Counted {
  readonly sinceMs: number;
  readonly kept: number;
  readonly suppressed: number;
}

/**
 * Keeps a flood of refusals from filling the log: the first event of a type, subject and code in a
 * window is kept, the others are counted, and the next kept one carries the count as `suppressed`.
 */
export class AuditThrottle {
  #counts = new Map<string, Counted>();

  /** Decides without remembering; `commit` remembers, once the kept events are stored. */
  consider(events: readonly AuditEvent[]): { kept: AuditEvent[]; commit: () => void } {
    const staged = new Map<string, Counted>();
    const kept: AuditEvent[] = [];
    for (const event of events) {
      const admitted = isFloodable(event.type) ? this.#admit(staged, event) : event;
      if (admitted !== undefined) kept.push(admitted);
    }
    return { kept, commit: () => this.#remember(staged) };
  }

  get subjects(): number {
    return this.#counts.size;
  }

  #admit(staged: Map<string, Counted>, event: AuditEvent): AuditEvent | undefined {
    const subject = JSON.stringify([event.type, event.subject, event.details.code ?? '']);
    const bySubject = this.#count(staged, subject, event.atMs, 1);
    const byType = this.#count(staged, event.type, event.atMs, throttleTypeLimit);
    if (!bySubject.admitted || !byType.admitted) {
      const counted = bySubject.admitted ? byType : bySubject;
      const key = bySubject.admitted ? event.type : subject;
      // One event of a shard may stand for several refusals already.
      const refusals = Number(event.details.count ?? 1);
      staged.set(key, { ...counted.next, suppressed: counted.next.suppressed + refusals });
      return undefined;
    }
    staged.set(subject, bySubject.next);
    staged.set(event.type, byType.next);
    const suppressed = bySubject.reported + byType.reported;
    return suppressed === 0 ? event : { ...event, details: { ...event.details, suppressed } };
  }

  #count(staged: Map<string, Counted>, key: string, atMs: number, limit: number) {
    const known = staged.get(key) ?? this.#counts.get(key);
    // A clock that went back starts a new window too, or a wrong clock could silence the log.
    const age = known === undefined ? throttleWindowMs : atMs - known.sinceMs;
    if (known === undefined || age >= throttleWindowMs || age < -throttleWindowMs) {
      const next = { sinceMs: atMs, kept: 1, suppressed: 0 };
      return { admitted: true, next, reported: known?.suppressed ?? 0 };
    }
    if (known.kept >= limit) return { admitted: false, next: known, reported: 0 };
    return { admitted: true, next: { ...known, kept: known.kept + 1 }, reported: 0 };
  }

  #remember(staged: ReadonlyMap<string, Counted>): void {
    for (const [key, counted] of staged) {
      this.#counts.delete(key);
      this.#counts.set(key, counted);
    }
    for (const key of this.#counts.keys()) {
      if (this.#counts.size <= throttleSubjectLimit) break;
      this.#counts.delete(key);
    }
  }
}
