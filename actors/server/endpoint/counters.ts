import type { EndpointCounters } from '../status.ts';

/** Refusal codes counted apart; the registries have fewer. */
const codeLimit = 200;

/** What one shard's endpoint has done since it started. */
export class Counters {
  checkIns = 0;
  reports = 0;
  traits = 0;
  registrations = 0;
  readonly #refusals = new Map<string, number>();

  refused(code: string): void {
    const known = this.#refusals.get(code);
    if (known === undefined && this.#refusals.size >= codeLimit) return;
    this.#refusals.set(code, (known ?? 0) + 1);
  }

  read(connections: number): EndpointCounters {
    const { checkIns, reports, traits, registrations } = this;
    const refusals = Object.fromEntries(this.#refusals);
    return { connections, checkIns, reports, traits, registrations, refusals };
  }
}
