import type { ActorKind, Turn } from '../../runtime/actor.ts';
import { codeOf, ServerError } from '../errors.ts';
import { publishAddress, type RolloutChange } from '../publish/messages.ts';
import {
  countFleet,
  type HealthSource,
  observe,
  type ReachedEnvoy,
  reachedEnvoys,
} from './health.ts';
import type { RolloutHealth, RolloutMessages, RolloutOrder, RolloutView } from './messages.ts';
import { decide } from './rules.ts';
import { isUnderWay, type RolloutState, rolloutView } from './state.ts';

const mailboxLimit = 1000;
const idleAfterMs = 3_600_000;
const publishDeadlineMs = 60_000;
const leastTickMs = 200;
const longestTickMs = 15_000;
/** Looks at the same list of envoys before it is made anew for machines that were enrolled meanwhile. */
const listUses = 10;
const tickTimer = 'tick';

/** The list of the stage's envoys, kept between two looks. */
interface RolloutMemory {
  list:
    | {
        readonly version: number;
        readonly stage: number;
        readonly envoys: ReachedEnvoy[];
        uses: number;
      }
    | undefined;
  /** Why the last order of its own was not carried out. */
  failure: string | undefined;
}

type RolloutTurn = Turn<RolloutMemory>;

export function rolloutKind(options: HealthSource): ActorKind<RolloutMemory, RolloutMessages> {
  const order = (change: RolloutChange['change']) => (turn: RolloutTurn, given: RolloutOrder) =>
    ordered(options, turn, change, given);
  return {
    name: 'rollout',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => ({ list: undefined, failure: undefined }),
    handlers: {
      status: async (turn) => {
        const state = stateOf(options, turn);
        if (state === undefined) return undefined;
        return isUnderWay(state) ? await viewOf(options, turn, state) : rolloutView(state);
      },
      pause: order('pause'),
      resume: order('resume'),
      abort: order('rollback'),
      finish: order('finish'),
      watch: async (turn) => {
        lookAgain(turn, leastTickMs);
        return undefined;
      },
      tick: async (turn) => {
        await look(options, turn);
        return undefined;
      },
    },
  };
}

async function ordered(
  options: HealthSource,
  turn: RolloutTurn,
  change: RolloutChange['change'],
  { by, reason }: RolloutOrder,
): Promise<RolloutView> {
  const state = stateOf(options, turn);
  if (!isUnderWay(state)) throw new ServerError('ROLLOUT_NONE');
  const figures = figuresOf(await healthOf(options, turn, state));
  const payload = { version: state.version, by, reason, change, figures };
  const view = await turn.ask(publishAddress(), 'changeRollout', payload, publishDeadlineMs);
  lookAgain(turn, leastTickMs);
  return view;
}

/** One look at the fleet, and what follows from it. */
async function look(options: HealthSource, turn: RolloutTurn): Promise<void> {
  const state = stateOf(options, turn);
  if (!isUnderWay(state)) {
    turn.state.list = undefined;
    return;
  }
  // Set first: whatever fails below is tried again.
  lookAgain(turn, tickMs(options));
  const envoys = await listOf(options, turn, state);
  const nowMs = turn.ports.clock.nowMs();
  const observed = observe(options, state, envoys, nowMs);
  // The whole fleet is only counted for those who set a limit to it: it may be large.
  const fleet = state.leastConverged > 0 ? await fleetOf(options, turn) : unknownFleet;
  const health = { ...observed, fleet };
  const { intervalMs } = options;
  const decision = decide(state, health, { nowMs, intervalMs });
  if (decision.change === 'wait') return;
  const { change, reason } = decision;
  const figures = figuresOf({ ...observed, fleet: await fleetOf(options, turn) });
  const payload = { version: state.version, by: 'server', reason, change, figures };
  try {
    await turn.ask(publishAddress(), 'changeRollout', payload, publishDeadlineMs);
    turn.state.failure = undefined;
  } catch (error) {
    // An administrator was faster, or a freeze holds the next stage back. Whatever else it was, such as a
    // full disk, must not end the watch: the next look orders again.
    const code = codeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    turn.state.failure = code.startsWith('ROLLOUT_') ? undefined : `${change}: ${message}`;
  }
}

function stateOf({ tables }: HealthSource, turn: RolloutTurn): RolloutState | undefined {
  return turn.store.get(tables.rollout, 'current');
}

async function viewOf(
  options: HealthSource,
  turn: RolloutTurn,
  state: RolloutState,
): Promise<RolloutView> {
  const view = { ...rolloutView(state), health: await healthOf(options, turn, state) };
  const { failure } = turn.state;
  return failure === undefined ? view : { ...view, reason: failure };
}

async function healthOf(
  options: HealthSource,
  turn: RolloutTurn,
  state: RolloutState,
): Promise<RolloutHealth> {
  const envoys = await listOf(options, turn, state);
  const fleet = await fleetOf(options, turn);
  return { ...observe(options, state, envoys, turn.ports.clock.nowMs()), fleet };
}

const unknownFleet = { online: 0, converged: 0 };

function fleetOf(
  options: HealthSource,
  { ports, store }: RolloutTurn,
): Promise<RolloutHealth['fleet']> {
  return countFleet(ports, store, options);
}

async function listOf(
  options: HealthSource,
  turn: RolloutTurn,
  { version, stage, ...state }: RolloutState,
): Promise<ReachedEnvoy[]> {
  const { list } = turn.state;
  if (list?.version === version && list.stage === stage && list.uses < listUses) {
    list.uses += 1;
    return list.envoys;
  }
  const envoys = await reachedEnvoys(turn.ports, turn.store, options, { version, stage, ...state });
  turn.state.list = { version, stage, envoys, uses: 0 };
  return envoys;
}

function lookAgain(turn: RolloutTurn, afterMs: number): void {
  turn.setTimer(tickTimer, turn.ports.clock.nowMs() + afterMs, 'tick', {});
}

function tickMs({ intervalMs }: HealthSource): number {
  return Math.min(longestTickMs, Math.max(leastTickMs, intervalMs / 4));
}

function figuresOf({ fleet, sample: _, ...counts }: RolloutHealth): Record<string, number> {
  return { ...counts, online: fleet.online, converged: fleet.converged };
}
