import { AgentError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import type { AgentFacts, TraitCollector, TraitSource } from './collector.ts';
import { hardwareCollector } from './hardware.ts';
import { identityCollector } from './identity.ts';
import { createMemoryCollector } from './memory.ts';
import { networkCollector } from './network.ts';
import { osCollector } from './os.ts';
import { createPackagesCollector } from './packages.ts';

export interface CollectedTraits {
  /** By collector name; failed ones and those that do not apply are left out. */
  readonly traits: Readonly<Record<string, PolicyValue>>;
  /** Collector name -> what went wrong, for the log. */
  readonly errors: Readonly<Record<string, string>>;
}

export interface TraitCollectionOptions {
  readonly facts?: () => AgentFacts;
  /** Per collector, milliseconds. */
  readonly timeoutMs?: number;
  /** Those of this agent when absent. */
  readonly collectors?: readonly TraitCollector[];
}

export interface TraitCollection {
  readonly names: readonly string[];
  /** All collectors at once, or those named. A failing or slow one costs only its own trait. */
  collect(names?: readonly string[]): Promise<CollectedTraits>;
}

const defaultTimeoutMs = 5_000;

function standardCollectors(): readonly TraitCollector[] {
  return [
    osCollector,
    hardwareCollector,
    networkCollector,
    identityCollector,
    createMemoryCollector(),
    createPackagesCollector(),
  ];
}

/** The traits of one machine over many passes; keep it, since collectors remember what is unchanged. */
export function createTraitCollection(
  platform: Platform,
  options: TraitCollectionOptions = {},
): TraitCollection {
  const collectors = options.collectors ?? standardCollectors();
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const names = collectors.map((collector) => collector.name);
  return {
    names,
    collect: async (wanted = names) => {
      const source = { platform, facts: options.facts?.() ?? {} };
      const chosen = collectors.filter((collector) => wanted.includes(collector.name));
      const results = await Promise.all(chosen.map((one) => collectOne(one, source, timeoutMs)));
      return {
        traits: Object.fromEntries(results.flatMap((result) => result.trait)),
        errors: Object.fromEntries(results.flatMap((result) => result.error)),
      };
    },
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

async function collectOne(
  collector: TraitCollector,
  source: TraitSource,
  timeoutMs: number,
): Promise<CollectorResult> {
  const done = new AbortController();
  const limit = source.platform.clock.sleep(timeoutMs, done.signal).then(() => {
    throw new AgentError('AGENT_COMMAND_TIMEOUT', `trait ${collector.name} after ${timeoutMs} ms`);
  });
  try {
    const value = await Promise.race([collector.collect(source), limit]);
    return { trait: value === undefined ? [] : [[collector.name, value]], error: [] };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { trait: [], error: [[collector.name, text]] };
  } finally {
    // The sleep that ends early finds nobody waiting for its error.
    limit.catch(() => undefined);
    done.abort();
  }
}
