import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckInResponse } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import { BenchError } from '../errors.ts';
import { Backoff } from './backoff.ts';
import { CallError } from './channel.ts';
import { FleetWatch } from './fleet-watch.ts';
import type { SimulatedEnvoy } from './simulated-envoy.ts';
import { Tally, type TallyCounts } from './tally.ts';

/** Handshakes in flight per generator thread: enough to keep both sides busy. */
const handshakesMax = 16;
const connectAttemptsMax = 10;
/** The first check-in comes with the policy, while others shake hands. */
const firstAnswerLimitMs = 30_000;
const retryMs = 1000;
/** Time stamps of requests signed ahead stay within the server's tolerance of clocks (5 minutes). */
const aheadLimitMs = 240_000;
/** How exactly a deadline is noticed; whether it was met is decided by the clock. */
const sweepMs = 100;
const drainPollMs = 20;

export interface LoadOptions {
  readonly intervalMs: number;
  readonly rampMs: number;
  /** Share of check-ins with a report of changes, 0 to 1. */
  readonly changed: number;
}

/**
 * Plays one thread's part of the fleet: each envoy checks in at the due times that the server gives.
 * A check-in counts as done when it was answered before the envoy's next due time (one interval
 * later), otherwise as missed, also when it failed; failures are tried again until then.
 */
export class FleetLoad {
  readonly #envoys: readonly SimulatedEnvoy[];
  readonly #options: LoadOptions;
  readonly #random: () => number;
  readonly #sweep: NodeJS.Timeout;
  readonly watch: FleetWatch;
  readonly #dueMs: Float64Array;
  #changed: number;
  #every = 1;
  #tally = new Tally();
  #connected = 0;
  #measuring = false;
  #stopped = false;
  #underWay = 0;

  constructor(
    envoys: readonly SimulatedEnvoy[],
    options: LoadOptions,
    random: () => number = Math.random,
  ) {
    this.#envoys = envoys;
    this.#options = options;
    this.#random = random;
    this.#changed = options.changed;
    this.watch = new FleetWatch(envoys.length);
    this.#dueMs = new Float64Array(envoys.length);
    this.#sweep = setInterval(() => {
      const nowMs = performance.now();
      for (const envoy of envoys) envoy.expire(nowMs);
    }, sweepMs);
  }

  get tally(): Tally {
    return this.#tally;
  }

  counts(): TallyCounts {
    return { ...this.#tally.counts(), connected: this.#connected };
  }

  /** Resolves when every envoy is connected, has checked in, and goes on doing so. */
  async connectAll(): Promise<void> {
    const beganMs = performance.now();
    let next = 0;
    const lane = async () => {
      for (let at = next++; at < this.#envoys.length; at = next++) {
        const startAtMs = beganMs + (this.#options.rampMs * at) / this.#envoys.length;
        const waitMs = startAtMs - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        await this.#connectOne(this.#envoys[at] as SimulatedEnvoy, at);
      }
    };
    await Promise.all(Array.from({ length: handshakesMax }, lane));
  }

  /** Counts from zero. */
  startMeasuring(): void {
    this.#tally = new Tally();
    this.#measuring = true;
  }

  /** Signs check-ins that will be due, as far as their time stamps allow. */
  signAhead(count: number): void {
    const { intervalMs } = this.#options;
    const most = Math.min(count, Math.floor(aheadLimitMs / intervalMs));
    const toEpochMs = Date.now() - performance.now();
    for (const [at, envoy] of this.#envoys.entries()) {
      if (most > 0) envoy.signAhead(most, (this.#dueMs[at] ?? 0) + toEpochMs, intervalMs);
    }
  }

  /** Checks in at one of so many due times, by chance: the same connections, fewer check-ins. */
  pace(every: number, changed: number): void {
    this.#every = every;
    this.#changed = changed;
  }

  /** At `atMs` (epoch) the first `share` of the envoys report changes, beside their check-ins. */
  burst(share: number, atMs: number): void {
    const count = Math.round(share * this.#envoys.length);
    for (const envoy of this.#envoys.slice(0, count)) void this.#burstOf(envoy, atMs);
  }

  /** Begins nothing new; resolves when what is under way was answered or is missed. */
  async finish(): Promise<void> {
    this.#stopped = true;
    while (this.#underWay > 0) await sleep(drainPollMs);
    clearInterval(this.#sweep);
    for (const envoy of this.#envoys) envoy.close();
  }

  async #connectOne(envoy: SimulatedEnvoy, at: number): Promise<void> {
    for (let attempt = 1; attempt <= connectAttemptsMax; attempt += 1) {
      try {
        await envoy.connect();
        const deadlineMs = performance.now() + firstAnswerLimitMs;
        const answer = await envoy.checkIn(deadlineMs);
        const dueMs = performance.now() + answer.nextCheckInMs;
        if (answer.wantTraits) await envoy.reportTraits(deadlineMs);
        this.#connected += 1;
        void this.#live(envoy, at, Math.max(dueMs, performance.now()));
        return;
      } catch (error) {
        this.#tally.failed(codeOf(error));
        envoy.close();
        await sleep(retryMs);
      }
    }
    throw new BenchError('BENCH_SERVER', `an envoy could not connect: ${this.#errorsText()}`);
  }

  #errorsText(): string {
    const errors = Object.entries(this.#tally.counts().errors);
    return errors.map(([code, count]) => `${code} ${count}`).join(', ');
  }

  async #live(envoy: SimulatedEnvoy, at: number, firstDueMs: number): Promise<void> {
    let dueMs = firstDueMs;
    while (!this.#stopped) {
      this.#dueMs[at] = dueMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      if (this.#stopped) return;
      if (this.#every > 1 && this.#random() * this.#every >= 1) {
        dueMs += this.#options.intervalMs;
        continue;
      }
      this.#tally.lateStarts.record((performance.now() - dueMs) * 1000);
      this.#underWay += 1;
      dueMs = await this.#period(envoy, at, dueMs);
      this.#underWay -= 1;
    }
  }

  /** One check-in with what it entails; returns the next due time. */
  async #period(envoy: SimulatedEnvoy, at: number, dueMs: number): Promise<number> {
    const deadlineMs = dueMs + this.#options.intervalMs;
    const opened = envoy.connections;
    const resumed = envoy.resumed;
    const answer = await this.#answered(envoy, at, deadlineMs);
    this.#tally.reconnects += envoy.connections - opened;
    this.#tally.resumed += envoy.resumed - resumed;
    if (answer === undefined) {
      this.#tally.missed += 1;
      return deadlineMs;
    }
    const nextDueMs = performance.now() + answer.nextCheckInMs;
    try {
      if (answer.wantTraits) await envoy.reportTraits(nextDueMs);
      if (this.#measuring && this.#random() < this.#changed) {
        await this.#report(envoy, nextDueMs);
      }
    } catch (error) {
      this.#tally.failed(codeOf(error));
    }
    return nextDueMs;
  }

  async #report(envoy: SimulatedEnvoy, deadlineMs: number): Promise<void> {
    const startedMs = performance.now();
    await envoy.report(deadlineMs);
    this.#tally.reports += 1;
    this.#tally.reportLatencies.record((performance.now() - startedMs) * 1000);
  }

  /** Tries until it is durable, or the run ends. */
  async #burstOf(envoy: SimulatedEnvoy, atMs: number): Promise<void> {
    await sleep(Math.max(0, atMs - Date.now()));
    const backoff = new Backoff(this.#options.intervalMs, this.#random);
    while (!this.#stopped) {
      this.#underWay += 1;
      try {
        await this.#report(envoy, performance.now() + this.#options.intervalMs);
        this.#tally.bursts += 1;
        this.#tally.lastBurstMs = Date.now();
        return;
      } catch (error) {
        this.#tally.failed(codeOf(error));
        const retryAfterMs = error instanceof CallError ? error.retryAfterMs : 0;
        await sleep(backoff.next(retryAfterMs));
      } finally {
        this.#underWay -= 1;
      }
    }
  }

  /** The answer, if it came before the deadline. Its latency counts from the first attempt. */
  async #answered(
    envoy: SimulatedEnvoy,
    at: number,
    deadlineMs: number,
  ): Promise<CheckInResponse | undefined> {
    const startedMs = performance.now();
    const backoff = new Backoff(this.#options.intervalMs, this.#random);
    while (performance.now() < deadlineMs) {
      let retryAfterMs = 0;
      const beganMs = Date.now();
      const told = envoy.policyVersion;
      try {
        const answer = await envoy.checkIn(deadlineMs);
        this.watch.answered(at, { beganMs, nowMs: Date.now(), told, held: envoy.policyVersion });
        const nowMs = performance.now();
        if (nowMs > deadlineMs) return undefined;
        this.#tally.done += 1;
        this.#tally.checkInLatencies.record((nowMs - startedMs) * 1000);
        return answer;
      } catch (error) {
        this.#tally.failed(codeOf(error));
        if (error instanceof CallError) retryAfterMs = error.retryAfterMs;
      }
      const pauseMs = backoff.next(retryAfterMs);
      await sleep(Math.max(0, Math.min(pauseMs, deadlineMs - performance.now())));
    }
    return undefined;
  }
}

/** The name under which a failed attempt is counted. */
export function codeOf(error: unknown): string {
  if (error instanceof CallError) return error.code;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'UNEXPECTED';
}
