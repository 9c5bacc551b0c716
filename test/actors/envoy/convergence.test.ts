import t from 'tap';
import {
  afterCheckIn,
  afterRun,
  type Convergence,
  convergedPercent,
  nothingKnown,
  type RunOutcome,
  silenceLimitMs,
  stateOf,
} from '../../../actors/envoy/convergence.ts';
import {
  type EnvoyState,
  envoyStates,
  stateNumber,
  stateOfNumber,
} from '../../../actors/envoy/states.ts';
import { fc } from '../../support/property.ts';

/** Numbers of the protocol. */
const outcome = { converged: 1, changed: 2, degraded: 3, failed: 4 } as const;

/** The rules as docs/states.md words them: a look at the whole past, nothing remembered. */
class PastOfAnEnvoy {
  readonly runs: RunOutcome[] = [];

  get state(): EnvoyState {
    const last = this.runs.at(-1);
    if (last === undefined) return 'no data';
    if (last.state === outcome.failed) return 'failed';
    if (last.state === outcome.degraded) return 'degraded';
    const inARow = [...this.runs].reverse().findIndex((run) => !isDrift(run));
    const drifts = inARow === -1 ? this.runs.length : inARow;
    if (drifts >= 3) return 'diverged';
    return drifts === 2 ? 'relapsed' : 'converged';
  }
}

function isDrift({ policyChanged, changes, blocked }: RunOutcome): boolean {
  return !policyChanged && changes + blocked > 0;
}

interface Real {
  now: Convergence;
}

class RunCommand implements fc.Command<PastOfAnEnvoy, Real> {
  readonly #run: RunOutcome;
  constructor(run: RunOutcome) {
    this.#run = run;
  }
  check = () => true;
  run(past: PastOfAnEnvoy, real: Real): void {
    past.runs.push(this.#run);
    real.now = afterRun(real.now, this.#run);
    same(past, real);
  }
  toString = () => JSON.stringify(this.#run);
}

/** What an agent says at a check-in: the outcome of its last run. */
class CheckInCommand implements fc.Command<PastOfAnEnvoy, Real> {
  check = (past: Readonly<PastOfAnEnvoy>) => past.runs.length > 0;
  run(past: PastOfAnEnvoy, real: Real): void {
    real.now = afterCheckIn(real.now, past.runs.at(-1)?.state ?? 0);
    same(past, real);
  }
  toString = () => 'check in';
}

function same(past: PastOfAnEnvoy, real: Real): void {
  if (stateOf(real.now) !== past.state) {
    throw new Error(`is ${stateOf(real.now)}, and the documented rule says ${past.state}`);
  }
}

const quiet = fc.constant({
  state: outcome.converged,
  policyChanged: false,
  changes: 0,
  blocked: 0,
});
const acting = fc.record({
  state: fc.constant(outcome.changed),
  policyChanged: fc.boolean(),
  changes: fc.integer({ min: 1, max: 9 }),
  blocked: fc.constant(0),
});
const troubled = fc.record({
  state: fc.constantFrom(outcome.degraded, outcome.failed),
  policyChanged: fc.boolean(),
  changes: fc.nat({ max: 2 }),
  blocked: fc.nat({ max: 2 }),
});

t.test(
  'an envoy is in the state that the documented rules give it, whatever its past',
  async () => {
    const commands = [
      fc.oneof(quiet, acting, acting, troubled).map((run) => new RunCommand(run)),
      fc.constant(new CheckInCommand()),
    ];
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 30 }), (run) => {
        fc.modelRun(() => ({ model: new PastOfAnEnvoy(), real: { now: nothingKnown } }), run);
      }),
      { numRuns: 300 },
    );
  },
);

t.test('a publish never looks like drift, however many follow each other', async (t) => {
  let now: Convergence = nothingKnown;
  for (let version = 0; version < 5; version += 1) {
    now = afterRun(now, { state: outcome.changed, policyChanged: true, changes: 7, blocked: 0 });
    t.equal(stateOf(now), 'converged');
  }
});

t.test('drift is told at the second run, and ends with the first quiet one', async (t) => {
  const drift = { state: outcome.changed, policyChanged: false, changes: 1, blocked: 0 };
  const states: string[] = [];
  let now: Convergence = nothingKnown;
  for (let run = 0; run < 4; run += 1) {
    now = afterRun(now, drift);
    states.push(stateOf(now));
  }
  t.same(states, ['converged', 'relapsed', 'diverged', 'diverged']);
  t.equal(stateOf(afterCheckIn(now, outcome.changed)), 'diverged', 'a check-in forgets nothing');
  t.equal(stateOf(afterCheckIn(now, outcome.converged)), 'converged', 'the report may be lost');
});

t.test('a machine that drifts for ever does not turn healthy by counting over', async (t) => {
  const drift = { state: outcome.changed, policyChanged: false, changes: 1, blocked: 0 };
  let now: Convergence = nothingKnown;
  for (let run = 0; run < 1_000; run += 1) now = afterRun(now, drift);
  t.equal(stateOf(now), 'diverged');
  t.ok(now.driftRuns <= 255, 'the hot record has one byte for it');
});

t.test(
  'offline is known within three intervals, and never before two check-ins are missed',
  async () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 86_400_000 }), (intervalMs) => {
        const limit = silenceLimitMs(intervalMs);
        return limit <= 3 * intervalMs && limit > 2 * intervalMs - 1;
      }),
    );
  },
);

t.test('the percentage is over active envoys, and there is none without any', async (t) => {
  t.equal(convergedPercent(1, 4), 25);
  t.equal(convergedPercent(0, 0), undefined);
});

t.test('every state has a number of its own; what no release wrote is no data', async (t) => {
  for (const state of envoyStates) t.equal(stateOfNumber(stateNumber(state)), state);
  t.equal(stateOfNumber(99), 'no data');
});
