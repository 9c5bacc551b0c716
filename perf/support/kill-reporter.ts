import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../bench/fleet/fleet-load.ts';
import type { AcknowledgedReport, SimulatedEnvoy } from '../../bench/fleet/simulated-envoy.ts';

const callLimitMs = 10_000;
/** Between a failed attempt and the next, with jitter, as agents do. */
const retryMs = { least: 50, most: 500 };

/** What all reporters of a run share. */
export interface KillCounts {
  /** When the first check-in that began at or after `sinceMs` was answered; 0 = not yet. */
  firstAnswerMs: number;
  sinceMs: number;
  readonly errors: Map<string, number>;
}

/** An envoy that checks in and reports with short pauses, and remembers what it was promised. */
export class KillReporter {
  readonly envoy: SimulatedEnvoy;
  readonly acknowledged: AcknowledgedReport[] = [];
  readonly #counts: KillCounts;
  readonly #random: () => number;
  readonly #pauseMs: number;
  #stopped = false;

  /** `pauseMs`: on average, between two reports. */
  constructor(envoy: SimulatedEnvoy, counts: KillCounts, random: () => number, pauseMs: number) {
    this.envoy = envoy;
    this.#counts = counts;
    this.#random = random;
    this.#pauseMs = pauseMs;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      let waitMs = this.#random() * 2 * this.#pauseMs;
      try {
        await this.#step();
      } catch (error) {
        const { errors } = this.#counts;
        const code = codeOf(error);
        errors.set(code, (errors.get(code) ?? 0) + 1);
        waitMs = retryMs.least + this.#random() * (retryMs.most - retryMs.least);
      }
      await sleep(waitMs);
    }
    this.envoy.close();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #step(): Promise<void> {
    const counts = this.#counts;
    const beganMs = performance.now();
    const answer = await this.envoy.checkIn(beganMs + callLimitMs);
    if (beganMs >= counts.sinceMs && counts.firstAnswerMs === 0) {
      counts.firstAnswerMs = performance.now();
    }
    if (answer.wantTraits) await this.envoy.reportTraits(performance.now() + callLimitMs);
    this.acknowledged.push(await this.envoy.report(performance.now() + callLimitMs));
  }
}
