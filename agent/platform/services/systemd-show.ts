import { AgentError } from '../../errors.ts';
import { causeOf, runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { KnownUnits } from './known-units.ts';

const properties = [
  ...['Id', 'LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'NeedDaemonReload'],
  ...['SourcePath', 'FragmentPath', 'DropInPaths', 'InvocationID'],
].join(',');
/** Units in one call; more wait for the next. */
const batchLimit = 64;
/** How long the first one waits for others: observations of one pass are asked for together. */
const gatherMs = 1;

interface Waiting {
  readonly unit: string;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (text: string) => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * `systemctl show` of several units at once. Each answer is of a call that was made after it was
 * asked for, or is still true after that, so an observation that follows an act sees what the act did.
 */
export class ShowBatch {
  readonly #platform: Platform;
  readonly #known: KnownUnits;
  #gathering: Waiting[] | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#known = new KnownUnits(platform);
  }

  /** Before anything is changed: nothing of before counts. */
  forget(): void {
    this.#known.forget();
  }

  /** The properties of one unit, a line each. @throws {AgentError} AGENT_SERVICE_FAILED */
  show(unit: string, signal?: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { unit, signal, resolve, reject };
      if (this.#gathering !== undefined && this.#gathering.length < batchLimit) {
        this.#gathering.push(waiting);
        return;
      }
      const batch = [waiting];
      this.#gathering = batch;
      void this.#answer(batch);
    });
  }

  async #answer(batch: Waiting[]): Promise<void> {
    try {
      await this.#platform.clock.sleep(gatherMs);
      if (this.#gathering === batch) this.#gathering = undefined;
      const open = await this.#recall(batch);
      if (open.length === 0) return;
      if (open.length === 1) return await this.#alone(open[0]!);
      const units = [...new Set(open.map(({ unit }) => unit))];
      const askedAtMs = this.#platform.clock.nowMs();
      const sections = await this.#sections(units, combined(open));
      // One name that systemd does not take spoils the answer for all.
      if (sections === undefined) await Promise.all(open.map((one) => this.#alone(one)));
      else {
        for (const [index, unit] of units.entries())
          await this.#known.keep(unit, sections[index]!, askedAtMs);
        for (const { unit, resolve } of open) resolve(sections[units.indexOf(unit)]!);
      }
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    }
  }

  /** Answers what is known; the others are left. */
  async #recall(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    if (!this.#known.knowsAny(batch.map(({ unit }) => unit))) return batch;
    const directories = await this.#known.directories();
    const open: Waiting[] = [];
    for (const one of batch) {
      const text = await this.#known.recall(one.unit, directories);
      if (text === undefined) open.push(one);
      else one.resolve(text);
    }
    return open;
  }

  async #alone({ unit, signal, resolve, reject }: Waiting): Promise<void> {
    try {
      const askedAtMs = this.#platform.clock.nowMs();
      const result = await this.#run([unit], signal);
      if (result.exitCode !== 0)
        throw new AgentError('AGENT_SERVICE_FAILED', `${unit}: ${causeOf(result)}`);
      await this.#known.keep(unit, result.stdout, askedAtMs);
      resolve(result.stdout);
    } catch (thrown) {
      reject(thrown);
    }
  }

  /** In the order of the units, with an empty line between two; undefined when it is not so. */
  async #sections(
    units: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<readonly string[] | undefined> {
    const result = await this.#run(units, signal);
    const sections = result.stdout.trim().split(/\n\n+/);
    const whole = result.exitCode === 0 && !result.truncated && sections.length === units.length;
    return whole ? sections : undefined;
  }

  #run(units: readonly string[], signal: AbortSignal | undefined) {
    const words = ['show', `--property=${properties}`, '--', ...units] as const;
    return runTool(this.#platform, ['/usr/bin/systemctl', ...words], { signal });
  }
}

/** Aborted when nobody waits any more; undefined when somebody cannot be aborted. */
function combined(batch: readonly Waiting[]): AbortSignal | undefined {
  const signals = batch.map(({ signal }) => signal);
  const stop = new AbortController();
  let waiting = signals.length;
  const leave = () => {
    waiting -= 1;
    if (waiting === 0) stop.abort();
  };
  for (const signal of signals) {
    if (signal === undefined) return undefined;
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  }
  return stop.signal;
}
