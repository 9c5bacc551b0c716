import { AgentError } from '../errors.ts';
import type { AgentClock } from '../platform/platform.ts';

/** How long stopped work may take to end its processes before it is left behind. */
const stopGraceMs = 5_000;
const finished = 'finished';

/**
 * Runs work under a time limit and the signal of the pass. The work sees one signal for both; it is
 * waited for until it has stopped, so that nothing of it goes on behind the next resource.
 *
 * @throws {AgentError} AGENT_TIME_LIMIT, AGENT_ABORTED, or what the work throws.
 */
export async function withinLimit<T>(
  clock: AgentClock,
  limitMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (outer?.aborted) throw new AgentError('AGENT_ABORTED');
  const watch = new Watch(clock, limitMs);
  const onAbort = () => watch.stop(new AgentError('AGENT_ABORTED'));
  outer?.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work(watch.signal), watch.expired()]);
  } catch (thrown) {
    throw watch.stoppedBy ?? thrown;
  } finally {
    watch.finish();
    outer?.removeEventListener('abort', onAbort);
  }
}

class Watch {
  readonly #clock: AgentClock;
  readonly #limitMs: number;
  readonly #work = new AbortController();
  #alarm = new AbortController();
  #finished = false;
  stoppedBy: AgentError | undefined;

  constructor(clock: AgentClock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  get signal(): AbortSignal {
    return this.#work.signal;
  }

  stop(error: AgentError): void {
    this.stoppedBy ??= error;
    this.#work.abort();
    this.#alarm.abort();
  }

  finish(): void {
    this.#finished = true;
    // Without a reason Node makes an error with a stack, for every resource of every pass.
    this.#alarm.abort(finished);
  }

  /** Rejects when the work goes on after it was stopped; never settles when it ends by itself. */
  async expired(): Promise<never> {
    await this.#clock.sleep(this.#limitMs, this.#alarm.signal);
    if (this.#finished) return new Promise<never>(() => {});
    const error = new AgentError('AGENT_TIME_LIMIT', { detail: `${this.#limitMs / 1000} s` });
    this.stop(error);
    this.#alarm = new AbortController();
    await this.#clock.sleep(stopGraceMs, this.#alarm.signal);
    if (this.#finished) return new Promise<never>(() => {});
    throw error;
  }
}
