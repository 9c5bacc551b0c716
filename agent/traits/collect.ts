import { AgentError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import { traitSchemas } from '../policy/trait-schemas/registry.ts';
import type { TraitSchema } from '../policy/trait-schemas/schema.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { AgentFacts, TraitCollector, TraitSource } from './collector.ts';
import { standardCollectors } from './standard-collectors.ts';
import { sameValue } from './values.ts';

export interface CollectedTraits {
  /** By collector name; failed ones and those that do not apply are left out. */
  readonly traits: Readonly<Record<string, PolicyValue>>;
  /** Collector name -> what went wrong, for the log. */
  readonly errors: Readonly<Record<string, string>>;
}

export interface TraitCollectionOptions {
  readonly facts?: () => AgentFacts;
  /** Per collector, milliseconds; that of its schema when absent. */
  readonly timeoutMs?: number;
  /** Those of this agent when absent. */
  readonly collectors?: readonly TraitCollector[];
}

export interface TraitCollection {
  readonly names: readonly string[];
  /**
   * Those named, now; without names all, each as often as its refresh class says, from memory
   * otherwise. A failing or slow collector costs only its own trait and is tried again next time.
   */
  collect(names?: readonly string[]): Promise<CollectedTraits>;
  /** Whether the server is to know at once that a trait changed; undefined = there is none. */
  isNews(name: string, told: PolicyValue | undefined, now: PolicyValue | undefined): boolean;
}

/** Stable traits are collected again after so many passes or so long, whatever comes first. */
export const stablePasses = 10;
const stableMs = 5 * 60_000;
const periodicMs = 60 * 60_000;
const defaultTimeoutMs = 5_000;

/** The traits of one machine over many passes; keep it, since collectors remember what is unchanged. */
export function createTraitCollection(
  platform: Platform,
  options: TraitCollectionOptions = {},
): TraitCollection {
  const collectors = options.collectors ?? standardCollectors();
  const watched = collectors.map((one) => new Watched(one, platform, options.timeoutMs));
  const names = collectors.map((collector) => collector.name);
  let pass = 0;
  return {
    names,
    collect: async (wanted) => {
      const source = { platform, facts: options.facts?.() ?? {} };
      const chosen = watched.filter(({ name }) => wanted?.includes(name) ?? true);
      if (wanted === undefined) pass += 1;
      const results = await Promise.all(
        chosen.map((one) => one.collect(source, wanted === undefined ? pass : undefined)),
      );
      return {
        traits: Object.fromEntries(results.flatMap((result) => result.trait)),
        errors: Object.fromEntries(results.flatMap((result) => result.error)),
      };
    },
    isNews: (name, told, now) =>
      watched.find((one) => one.name === name)?.isNews(told, now) ?? !sameValue(told, now),
  };
}

/** The traits of this machine, once. */
export function collectTraits(
  platform: Platform,
  names?: readonly string[],
  facts: AgentFacts = {},
): Promise<CollectedTraits> {
  return createTraitCollection(platform, { facts: () => facts }).collect(names);
}

interface CollectorResult {
  readonly trait: readonly (readonly [string, PolicyValue])[];
  readonly error: readonly (readonly [string, string])[];
}

/** One collector, its limits and its last result. */
class Watched {
  readonly name: string;
  readonly #collector: TraitCollector;
  readonly #platform: Platform;
  readonly #schema: TraitSchema | undefined;
  readonly #timeoutMs: number;
  #last: { result: CollectorResult; pass: number; atMs: number } | undefined;
  /** A collection that went over its limit may still hold a thread; there is never a second one. */
  #hanging = false;

  constructor(collector: TraitCollector, platform: Platform, timeoutMs: number | undefined) {
    this.name = collector.name;
    this.#collector = collector;
    this.#platform = platform;
    this.#schema = traitSchemas.get(collector.name);
    this.#timeoutMs = timeoutMs ?? this.#schema?.timeoutMs ?? defaultTimeoutMs;
  }

  /** Without a pass the collector is asked in any case. */
  async collect(source: TraitSource, pass: number | undefined): Promise<CollectorResult> {
    const last = this.#last;
    if (pass !== undefined && last !== undefined && !this.#isDue(pass)) return last.result;
    const result = await this.#ask(source);
    const failed = result.error.length > 0;
    const atMs = this.#platform.clock.monotonicMs();
    this.#last = failed ? undefined : { result, pass: pass ?? last?.pass ?? 0, atMs };
    return result;
  }

  isNews(told: PolicyValue | undefined, now: PolicyValue | undefined): boolean {
    if (told === now) return false;
    if (told === undefined || now === undefined) return true;
    if (this.#collector.isNews !== undefined) return this.#collector.isNews(told, now);
    return this.#schema?.refresh !== 'volatile' && !sameValue(told, now);
  }

  #isDue(pass: number): boolean {
    if (this.#last === undefined) return true;
    const ageMs = this.#platform.clock.monotonicMs() - this.#last.atMs;
    const refresh = this.#schema?.refresh ?? 'volatile';
    if (refresh === 'periodic') return ageMs >= periodicMs;
    if (refresh === 'volatile') return true;
    return pass - this.#last.pass >= stablePasses || ageMs >= stableMs;
  }

  async #ask(source: TraitSource): Promise<CollectorResult> {
    if (this.#hanging) return this.#failed('still waiting for the answer of an earlier pass');
    const done = new AbortController();
    const limit = source.platform.clock.sleep(this.#timeoutMs, done.signal).then(() => {
      throw new AgentError(
        'AGENT_COMMAND_TIMEOUT',
        `trait ${this.name} after ${this.#timeoutMs} ms`,
      );
    });
    this.#hanging = true;
    const answer = Promise.resolve()
      .then(() => this.#collector.collect(source))
      .finally(() => {
        this.#hanging = false;
      });
    try {
      const value = await Promise.race([answer, limit]);
      return { trait: value === undefined ? [] : [[this.name, value]], error: [] };
    } catch (error) {
      return this.#failed(error instanceof Error ? error.message : String(error));
    } finally {
      // The one that ends later finds nobody waiting for its error.
      limit.catch(() => undefined);
      answer.catch(() => undefined);
      done.abort();
    }
  }

  #failed(text: string): CollectorResult {
    return { trait: [], error: [[this.name, text]] };
  }
}
