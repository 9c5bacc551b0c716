import t from 'tap';
import type { RolloutHealth } from '../../../actors/rollout/messages.ts';
import { decide } from '../../../actors/rollout/rules.ts';
import type { RolloutState } from '../../../actors/rollout/state.ts';
import { fc } from '../../support/property.ts';

const situation = { nowMs: 100_000, intervalMs: 1000 };

function rollout(change: Partial<RolloutState> = {}): RolloutState {
  return {
    version: 2,
    lastGoodVersion: 1,
    status: 'watching',
    stages: ['25%', '100%'],
    stage: 0,
    stageStartedAtMs: 0,
    startedAtMs: 0,
    observeMs: 5000,
    threshold: 0.1,
    leastConverged: 0,
    onFailure: 'rollback',
    reason: '',
    exposure: { salt: 's', upTo: 0, globs: [] },
    fromGeneration: 1,
    toGeneration: 2,
    failingBefore: [],
    convergedBefore: 1,
    ...change,
  };
}

function health(change: Partial<RolloutHealth>): RolloutHealth {
  const none = { healthy: 0, unjudged: 0, failing: 0, silent: 0, pending: 0, offline: 0 };
  const counts = { ...none, ...change };
  const kinds = Object.keys(none) as (keyof typeof none)[];
  const reached = kinds.reduce((sum, kind) => sum + counts[kind], 0);
  return { reached, sample: [], fleet: { online: 100, converged: 100 }, ...counts };
}

t.test('a window ends with what the stage has earned', async (t) => {
  const change = (state: RolloutState, seen: Partial<RolloutHealth>) =>
    decide(state, health(seen), situation).change;
  t.equal(change(rollout(), { healthy: 10 }), 'advance');
  t.equal(change(rollout({ stage: 1 }), { healthy: 10 }), 'complete');
  t.equal(change(rollout({ stageStartedAtMs: 97_000 }), { healthy: 10 }), 'wait');
  t.equal(
    change(rollout({ observeMs: 0, stageStartedAtMs: 99_000 }), { healthy: 10 }),
    'wait',
    'two intervals at least',
  );
  t.equal(change(rollout(), { healthy: 9, unjudged: 1 }), 'advance', 'one fails as before');
  t.equal(change(rollout(), { unjudged: 10 }), 'stop', 'nothing was learned of the version');
  t.equal(change(rollout(), { healthy: 9, failing: 1 }), 'advance', 'at the threshold');
  t.equal(change(rollout(), { healthy: 8, failing: 1, silent: 1 }), 'rollback');
  t.equal(change(rollout({ onFailure: 'pause' }), { healthy: 8, failing: 2 }), 'stop');
  t.equal(change(rollout(), { healthy: 5, pending: 5 }), 'rollback', 'they refuse it');
  t.equal(change(rollout(), { healthy: 5, offline: 5 }), 'advance');
  t.equal(change(rollout(), { offline: 5 }), 'stop');
  t.match(
    decide(rollout({ threshold: 1 }), health({ failing: 3 }), situation),
    { change: 'stop', reason: 'no envoy of the stage is healthy: 3 fail' },
    'however many may fail',
  );
  t.equal(change(rollout({ status: 'paused' }), { healthy: 10 }), 'wait');
  t.equal(change(rollout({ status: 'paused' }), { failing: 10 }), 'rollback', 'paused is watched');
  const low = { healthy: 10, fleet: { online: 100, converged: 80 } };
  t.equal(change(rollout({ leastConverged: 0.9 }), low), 'rollback');
  t.equal(change(rollout({ leastConverged: 0.9, convergedBefore: 0.5 }), low), 'advance');
});

t.test('more failures never make a rollout bolder', async (t) => {
  const boldness = { rollback: 0, stop: 0, wait: 1, advance: 2, complete: 2 };
  const count = fc.nat({ max: 50 });
  const property = fc.property(
    fc.record({ healthy: count, failing: count, silent: count, pending: count, offline: count }),
    fc.record({
      stageStartedAtMs: fc.integer({ min: 90_000, max: 100_000 }),
      threshold: fc.double({ min: 0, max: 1, noNaN: true }),
      stage: fc.constantFrom(0, 1),
    }),
    (seen, state) => {
      const before = decide(rollout(state), health(seen), situation).change;
      const worse = { ...seen, healthy: Math.max(0, seen.healthy - 1), failing: seen.failing + 1 };
      if (seen.healthy === 0) return true;
      const after = decide(rollout(state), health(worse), situation).change;
      return boldness[after] <= boldness[before];
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }));
});
