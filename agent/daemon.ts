import type { PassResult } from './converge/result.ts';
import { changed } from './converge/result.ts';
import { AgentError } from './errors.ts';
import type { LiveSchedule } from './live-facts.ts';
import type { LogFields, Logger } from './log.ts';
import type { NodeAgent, Traits } from './node-agent.ts';
import { Backoff } from './offline/backoff.ts';
import type { AgentClock } from './platform/platform.ts';
import type { TraceContext } from './protocol/traceparent.ts';
import { patienceOf } from './server-client.ts';

/** Whatever a server or a person asks for, the pace stays within these. */
export const intervalFloorMs = 100;
export const intervalCeilingMs = 86_400_000;
/**
 * An agent that is away from its server tries again within so many intervals, at the latest: a server
 * that comes back calls nobody offline before three.
 */
const backoffIntervals = 2;
const backoffCapFloorMs = 4000;
/** A pass waits so long for a check-in, or so many times what the last one took. */
const hurryFloorMs = 1000;
const hurryFactor = 4;
/** Lines about single resources in one pass's log. */
const loggedResourceLimit = 200;

export interface DaemonOptions {
  readonly agent: NodeAgent;
  readonly clock: AgentClock;
  readonly log: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Pace while no server says otherwise. */
  readonly intervalMs: number;
  /** The operator's pace wins over the server's. */
  readonly fixedInterval?: boolean;
}

/**
 * Check in, converge, report, again and again until the signal. While the server is away the passes
 * go on at the last known pace and the attempts to reach it back off.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #backoff: Backoff;
  #intervalMs: number;
  #checkInDueMs = 0;
  #passDueMs = 0;
  #wasOnline: boolean | undefined;
  /** What the last answer took; the first one is waited for, since there is nothing to enforce yet. */
  #answerMs = Number.POSITIVE_INFINITY;
  #lastFailure = '';
  #replaced = false;
  #phase: LiveSchedule['phase'] = 'waiting';
  readonly #passLog = new PassLog();

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
    this.#intervalMs = clamp(options.intervalMs);
    options.agent.pace(this.#intervalMs);
  }

  /** For `vigo status`. */
  schedule(): LiveSchedule {
    const nowMs = this.#options.clock.monotonicMs();
    return {
      phase: this.#phase,
      intervalMs: this.#intervalMs,
      nextPassInMs: Math.max(0, Math.round(this.#passDueMs - nowMs)),
      nextCheckInInMs: Math.max(0, Math.round(this.#checkInDueMs - nowMs)),
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await this.cycle(signal);
      if (this.#replaced) return;
      const dueMs = Math.min(this.#checkInDueMs, this.#passDueMs);
      await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), signal);
    }
  }

  /** What is due now. Every failure is logged and ends in a later attempt. */
  async cycle(signal: AbortSignal): Promise<void> {
    const { agent, clock, log } = this.#options;
    const trace = agent.newTrace();
    const startedMs = clock.monotonicMs();
    try {
      this.#phase = 'check-in';
      const traits = await agent.collectTraits();
      const checkInDue = startedMs >= this.#checkInDueMs;
      const passDue = startedMs >= this.#passDueMs;
      // A pass that is due waits neither for a server that is away nor long for a silent one.
      const away = passDue && this.#wasOnline === false;
      let online = checkInDue && !away && (await this.#checkIn(traits, trace, passDue));
      if (!online && passDue && !signal.aborted) {
        this.#passDueMs = startedMs + this.#intervalMs;
        await this.#pass(traits, true, signal, trace);
        const asks = checkInDue && startedMs >= this.#checkInDueMs && !signal.aborted;
        online = asks && (await this.#checkIn(traits, trace, false));
      }
      if (!online || signal.aborted) return;
      // Together with the next check-in, so that its answer is what the pass enforces.
      this.#passDueMs = this.#checkInDueMs;
      await this.#pass(traits, false, signal, trace);
      await agent.drain(trace);
      if (!signal.aborted) this.#replaced = await agent.update(trace);
    } catch (error) {
      logFailure(log.within(trace), error);
      this.#passDueMs = Math.max(this.#passDueMs, startedMs + this.#intervalMs);
      this.#checkInDueMs = Math.max(this.#checkInDueMs, startedMs + this.#nextAttemptMs());
    } finally {
      this.#phase = 'waiting';
    }
  }

  async #pass(
    traits: Traits,
    offline: boolean,
    signal: AbortSignal,
    trace: TraceContext,
  ): Promise<void> {
    const { agent, log } = this.#options;
    this.#phase = 'pass';
    const result = await agent.pass(traits, offline, signal, trace);
    if (result !== undefined) this.#passLog.log(log.within(trace), result);
  }

  #nextAttemptMs(atLeastMs = 0): number {
    const capMs = Math.max(backoffCapFloorMs, backoffIntervals * this.#intervalMs);
    return this.#backoff.next(atLeastMs, capMs);
  }

  /** `hurried`: a pass waits for it. Silence is then no failure: it is tried again after the pass. */
  async #checkIn(traits: Traits, trace: TraceContext, hurried: boolean): Promise<boolean> {
    const { agent, clock, log } = this.#options;
    const askedMs = clock.monotonicMs();
    this.#phase = 'check-in';
    try {
      const limitMs = Math.max(hurryFloorMs, this.#answerMs * hurryFactor);
      agent.hurry(hurried ? limitMs : Number.POSITIVE_INFINITY);
      const answer = await agent.checkIn(traits, trace);
      this.#answerMs = clock.monotonicMs() - askedMs;
      if (!this.#options.fixedInterval) this.#intervalMs = clamp(answer.nextCheckInMs);
      agent.pace(this.#intervalMs);
      const waitMs = Math.min(this.#intervalMs, answer.withinMs ?? this.#intervalMs);
      this.#checkInDueMs = clock.monotonicMs() + waitMs;
      this.#backoff.reset();
      if (this.#wasOnline !== true) log.within(trace).log('info', 'the server answers');
      this.#wasOnline = true;
      this.#lastFailure = '';
      return true;
    } catch (error) {
      if (hurried && limited(error, this.#answerMs)) return false;
      const retryAfterMs = error instanceof AgentError ? error.retryAfterMs : 0;
      this.#checkInDueMs = clock.monotonicMs() + this.#nextAttemptMs(retryAfterMs);
      // An attempt that might hold up a pass comes after it.
      const beforePassMs = this.#passDueMs - this.#checkInDueMs;
      if (beforePassMs > 0 && beforePassMs < patienceOf(this.#intervalMs))
        this.#checkInDueMs = this.#passDueMs;
      const failure = error instanceof Error ? error.message : String(error);
      if (failure !== this.#lastFailure) logFailure(log.within(trace), error);
      else log.within(trace).log('debug', failure);
      this.#lastFailure = failure;
      if (this.#wasOnline !== false)
        log.within(trace).log('warn', 'enforcing the cached policy until the server answers');
      this.#wasOnline = false;
      return false;
    } finally {
      agent.hurry(Number.POSITIVE_INFINITY);
    }
  }
}

/** Whether it was only the hurry that ended the wait. */
function limited(error: unknown, answerMs: number): boolean {
  const timedOut = error instanceof AgentError && error.code === 'AGENT_SERVER_TIMEOUT';
  return timedOut && Number.isFinite(answerMs);
}

function clamp(intervalMs: number): number {
  return Math.min(intervalCeilingMs, Math.max(intervalFloorMs, intervalMs));
}

/** Lines about passes: what was done always, trouble when it is new. */
class PassLog {
  /** Resource id to what was wrong with it in the last pass. */
  #trouble = new Map<string, string>();

  log(log: Logger, result: PassResult): void {
    const trouble = new Map<string, string>();
    let news = 0;
    for (const { id, action, reason, errorCode } of result.resources) {
      const bad = action === 'failed' || action === 'blocked';
      if (!bad && !changed(action)) continue;
      if (bad) trouble.set(id, `${action} ${errorCode} ${reason}`);
      const fresh = !bad || this.#trouble.get(id) !== trouble.get(id);
      if (fresh) news += 1;
      if (news > loggedResourceLimit) continue;
      const code: LogFields = errorCode === '' ? {} : { code: errorCode };
      log.log(fresh ? (bad ? 'warn' : 'info') : 'debug', `${action} ${id}`, { reason, ...code });
    }
    const { total, failed, blocked, created, updated, deleted } = result.summary;
    const recovered = trouble.size < this.#trouble.size;
    this.#trouble = trouble;
    log.log(news > 0 || recovered ? 'info' : 'debug', `pass ${result.state}`, {
      resources: total,
      changed: created + updated + deleted,
      failed,
      blocked,
      ms: Math.round(result.durationMs),
    });
  }
}

export function logFailure(log: Logger, error: unknown): void {
  if (error instanceof AgentError)
    log.log('warn', error.message, { code: error.code, remedy: error.remedy });
  else log.log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
}
