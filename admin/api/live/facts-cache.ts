import type { EnvoyFacts } from '../policy-decision.ts';
import type { FindFacts } from './event-access.ts';

const envoysMax = 5_000;
/** Traits and host names change, rarely. */
const keptMs = 30_000;

/** Asks for an envoy once in a while instead of for each event and viewer with a grant over some envoys. */
export function cachedFacts(find: FindFacts, monotonicMs: () => number): FindFacts {
  const known = new Map<string, EnvoyFacts | undefined>();
  let since = monotonicMs();
  return (envoyId) => {
    if (known.size >= envoysMax || monotonicMs() - since > keptMs) {
      known.clear();
      since = monotonicMs();
    }
    if (!known.has(envoyId)) known.set(envoyId, remembered(find(envoyId)));
    return known.get(envoyId);
  };
}

function remembered(facts: EnvoyFacts | undefined): EnvoyFacts | undefined {
  if (facts === undefined) return undefined;
  let traits: { text: string | undefined } | undefined;
  return {
    ...facts,
    traits: () => {
      traits ??= { text: facts.traits() };
      return traits.text;
    },
  };
}
