import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { Backoff } from './backoff.ts';
import { CallError } from './call-error.ts';
import type { CheckInNews } from './check-in-news.ts';
import { DueHeap } from './due-heap.ts';
import { FleetWatch } from './fleet-watch.ts';
import { LeftOut } from './left-out.ts';
import type { CheckInSink, SimulatedEnvoy } from './simulated-envoy.ts';
import { Tally, type TallyCounts } from './tally.ts';

/** Handshakes in flight per generator thread: enough to keep both sides busy. */
const handshakesMax = 16;
const connectAttemptsMax = 10;
/** The first check-in comes with the policy, while others shake hands. */
const firstAnswerLimitMs = 30_000;
const retryMs = 1000;
/**
 * Requests signed ahead carry their due times. What an envoy leaves out moves them back, so that more
 * time would not stay within the server's tolerance of clocks (5 minutes) for certain.
 */
const aheadLimitMs = 900_000;
/** Signatures of one thread: 768 MB. */
const aheadCountLimit = 12_000_000;
/** Whole reports of one thread: some 1 KB each. */
const aheadReportLimit = 300_000;
/** How exactly a deadline is noticed; whether it was met is decided by the clock. */
const sweepMs = 100;
const drainPollMs = 20;
/** Work of one turn of the event loop; answers are read between two. */
const sliceMs = 5;
/** While the fleet connects or signs ahead, those who are in leave out every second due time: nobody is
 * silent for as long as it takes to be called offline. */
const pacePreparing = 2;

export interface LoadOptions {
  readonly intervalMs: number;
  readonly rampMs: number;
  /** Share of check-ins with a report of changes, 0 to 1. */
  readonly changed: number;
}

/** One envoy of the load, with its check-in under way. */
class Seat implements CheckInSink {
  readonly at: number;
  readonly envoy: SimulatedEnvoy;
  readonly #load: FleetLoad;
  deadlineMs = 0;
  /** Of the last attempt, since the epoch. */
  beganMs = 0;
  /** The policy that the check-in named. */
  told = 0;
  readonly leftOut: LeftOut;

  constructor(at: number, envoy: SimulatedEnvoy, load: FleetLoad, leftOut: LeftOut) {
    this.at = at;
    this.envoy = envoy;
    this.#load = load;
    this.leftOut = leftOut;
  }

  checkedIn(news: CheckInNews): void {
    this.#load.checkedIn(this, news);
  }

  failed(error: unknown): void {
    this.#load.failed(this, error);
  }
}

/**
 * Plays one thread's part of the fleet: each envoy checks in at the due times that the server gives.
 * A check-in counts as done when it was answered before the envoy's next due time (one interval
 * later), otherwise as missed, also when it failed; failures are tried again until then. One timer
 * serves all envoys, and a check-in that goes well makes neither promises nor closures.
 */
export class FleetLoad {
  readonly #seats: readonly Seat[];
  readonly #options: LoadOptions;
  readonly #random: () => number;
  readonly #sweep: NodeJS.Timeout;
  readonly watch: FleetWatch;
  readonly #due: DueHeap;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
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
    this.#seats = envoys.map(
      (envoy, at) => new Seat(at, envoy, this, new LeftOut(at / envoys.length)),
    );
    this.#options = options;
    this.#random = random;
    this.#changed = options.changed;
    this.watch = new FleetWatch(envoys.length);
    this.#due = new DueHeap(envoys.length);
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
    this.#every = pacePreparing;
    let next = 0;
    const lane = async () => {
      for (let at = next++; at < this.#seats.length; at = next++) {
        const startAtMs = beganMs + (this.#options.rampMs * at) / this.#seats.length;
        const waitMs = startAtMs - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        await this.#connectOne(this.#seats[at] as Seat);
      }
    };
    await Promise.all(Array.from({ length: handshakesMax }, lane));
    this.#every = 1;
  }

  /** Counts from zero. */
  startMeasuring(): void {
    this.#tally = new Tally();
    this.#measuring = true;
  }

  /** Signs the check-ins of so long a time, within limits, beside the others. */
  async signAhead(forMs: number): Promise<void> {
    const { intervalMs } = this.#options;
    const countLimit = Math.floor(aheadCountLimit / this.#seats.length);
    const reportsMax = Math.floor(aheadReportLimit / this.#seats.length);
    const every = this.#every;
    this.#every = pacePreparing;
    const toEpochMs = Date.now() - performance.now();
    const beganMs = performance.now();
    let untilMs = beganMs + sliceMs;
    for (const [done, { at, envoy }] of this.#seats.entries()) {
      const nowMs = performance.now();
      const leftMs = ((nowMs - beganMs) / Math.max(1, done)) * (this.#seats.length - done);
      const count = Math.ceil(Math.min(aheadLimitMs, forMs + leftMs) / intervalMs) + 1;
      const firstDueMs = this.#due.dueOf(at) + toEpochMs;
      envoy.signAhead({
        ...{ count: Math.min(count, countLimit), firstMs: firstDueMs, intervalMs, reportsMax },
        isChanged: () => this.#drawChange(),
      });
      if (nowMs < untilMs) continue;
      await turn();
      untilMs = performance.now() + sliceMs;
    }
    this.#every = every;
  }

  /**
   * The same connections, but fewer check-ins than are due, or more. `every`: so many intervals lie
   * between two, up to 2: nobody leaves out two due times in a row, and is called offline for it.
   */
  pace(every: number, changed: number): void {
    this.#every = every;
    this.#changed = changed;
  }

  /** At `atMs` (epoch) the first `share` of the envoys report changes, beside their check-ins. */
  burst(share: number, atMs: number): void {
    const count = Math.round(share * this.#seats.length);
    for (const { envoy } of this.#seats.slice(0, count)) void this.#burstOf(envoy, atMs);
  }

  /** Begins nothing new; resolves when what is under way was answered or is missed. */
  async finish(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    while (this.#underWay > 0) await sleep(drainPollMs);
    clearInterval(this.#sweep);
    for (const { envoy } of this.#seats) envoy.close();
  }

  async #connectOne(seat: Seat): Promise<void> {
    const { envoy } = seat;
    for (let attempt = 1; attempt <= connectAttemptsMax; attempt += 1) {
      try {
        await envoy.connect();
        const deadlineMs = performance.now() + firstAnswerLimitMs;
        const answer = await envoy.checkIn(deadlineMs);
        const dueMs = performance.now() + answer.nextCheckInMs;
        if (answer.wantTraits) await envoy.reportTraits(deadlineMs);
        this.#connected += 1;
        this.#schedule(seat.at, Math.max(dueMs, performance.now()));
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

  #schedule(at: number, dueMs: number): void {
    this.#due.push(at, dueMs);
    if (dueMs < this.#timerMs) this.#arm();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timerMs = this.#due.earliestMs;
    clearTimeout(this.#timer);
    if (this.#timerMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(0, Math.ceil(this.#timerMs - performance.now()));
    this.#timer = setTimeout(() => this.#serve(), waitMs);
  }

  /** Begins the check-ins that are due, for no longer than a slice. */
  #serve(): void {
    const beganMs = performance.now();
    this.#timerMs = Number.NEGATIVE_INFINITY;
    for (let nowMs = beganMs; nowMs < beganMs + sliceMs; nowMs = performance.now()) {
      if (this.#stopped || this.#due.earliestMs > nowMs) break;
      const at = this.#due.pop();
      const seat = at === undefined ? undefined : this.#seats[at];
      if (seat !== undefined) this.#begin(seat, this.#due.dueOf(seat.at), nowMs);
    }
    this.#arm();
  }

  #begin(seat: Seat, dueMs: number, nowMs: number): void {
    if (seat.leftOut.next(this.#every)) {
      this.#due.push(seat.at, dueMs + this.#options.intervalMs);
      return;
    }
    this.#tally.lateStarts.record((nowMs - dueMs) * 1000);
    this.#underWay += 1;
    seat.deadlineMs = dueMs + this.#options.intervalMs;
    seat.beganMs = Date.now();
    seat.told = seat.envoy.policyVersion;
    if (!seat.envoy.beginCheckIn(seat.deadlineMs, seat)) void this.#attempts(seat, 0);
  }

  /** A check-in under way was answered. */
  checkedIn(seat: Seat, news: CheckInNews): void {
    const { at, envoy, beganMs, told } = seat;
    const nowMs = performance.now();
    this.watch.answered(at, { beganMs, nowMs: Date.now(), told, held: envoy.policyVersion });
    if (nowMs > seat.deadlineMs) {
      this.#missed(seat);
      return;
    }
    this.#tally.done += 1;
    const dueMs = seat.deadlineMs - this.#options.intervalMs;
    this.#tally.checkInLatencies.record((nowMs - dueMs) * 1000);
    const isChanged = envoy.changeAhead ?? (this.#measuring && this.#drawChange());
    const nextDueMs = nowMs + news.nextCheckInMs * Math.min(1, this.#every);
    if (news.wantTraits || news.rehearsal !== undefined || isChanged) {
      void this.#follow(seat, news, isChanged, nextDueMs);
    } else this.#over(seat, nextDueMs);
  }

  #drawChange(): boolean {
    return this.#changed > 0 && this.#random() < this.#changed;
  }

  /** An attempt to check in has failed. */
  failed(seat: Seat, error: unknown): void {
    this.#tally.failed(codeOf(error));
    void this.#attempts(seat, error instanceof CallError ? error.retryAfterMs : 0, true);
  }

  #missed(seat: Seat): void {
    this.#tally.missed += 1;
    this.#over(seat, seat.deadlineMs);
  }

  #over(seat: Seat, dueMs: number): void {
    this.#underWay -= 1;
    this.#schedule(seat.at, dueMs);
  }

  /** What a check-in entails. */
  async #follow(
    seat: Seat,
    { wantTraits, rehearsal }: CheckInNews,
    isChanged: boolean,
    nextDueMs: number,
  ): Promise<void> {
    const { at, envoy } = seat;
    try {
      if (wantTraits) await envoy.reportTraits(nextDueMs);
      if (rehearsal !== undefined && this.watch.isNew(at, rehearsal)) {
        await envoy.answerRehearsal(rehearsal, nextDueMs);
        this.watch.answeredPlan(at, rehearsal, Date.now());
      }
      if (isChanged) await this.#report(envoy, nextDueMs);
    } catch (error) {
      this.#tally.failed(codeOf(error));
    }
    this.#over(seat, nextDueMs);
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

  /** Checks in with waiting, connecting and trying again, until the deadline. */
  async #attempts(seat: Seat, firstRetryMs: number, hasFailed = false): Promise<void> {
    const { envoy, deadlineMs } = seat;
    const backoff = new Backoff(this.#options.intervalMs, this.#random);
    const { connections, resumed } = envoy;
    let retryAfterMs = firstRetryMs;
    let news: CheckInNews | undefined;
    for (let isAgain = hasFailed; news === undefined; isAgain = true) {
      if (isAgain) {
        const pauseMs = backoff.next(retryAfterMs);
        await sleep(Math.max(0, Math.min(pauseMs, deadlineMs - performance.now())));
      }
      if (performance.now() >= deadlineMs) break;
      seat.beganMs = Date.now();
      seat.told = envoy.policyVersion;
      try {
        news = await envoy.checkIn(deadlineMs);
      } catch (error) {
        this.#tally.failed(codeOf(error));
        retryAfterMs = error instanceof CallError ? error.retryAfterMs : 0;
      }
    }
    this.#tally.reconnects += envoy.connections - connections;
    this.#tally.resumed += envoy.resumed - resumed;
    if (news === undefined) this.#missed(seat);
    else this.checkedIn(seat, news);
  }
}

/** The name under which a failed attempt is counted. */
export function codeOf(error: unknown): string {
  if (error instanceof CallError) return error.code;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'UNEXPECTED';
}
