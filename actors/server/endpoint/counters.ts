import type { FleetCounters } from '../fleet-counters.ts';
import type { EndpointCounters } from '../status.ts';
import { LatencyHistogram } from './latency.ts';

/** Refusal codes counted apart; the registries have fewer. */
const codeLimit = 200;

/** What one shard's endpoint has done since it started. */
export class Counters {
  checkIns = 0;
  reports = 0;
  traits = 0;
  registrations = 0;
  /** Of check-ins, from the decoded request to the answer. */
  readonly latency = new LatencyHistogram();
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

  fleet(): FleetCounters {
    return { checkIns: this.checkIns, reports: this.reports, latency: this.latency.read() };
  }
}
