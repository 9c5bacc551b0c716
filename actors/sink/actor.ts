import type { ActorKind, Turn } from '../../runtime/actor.ts';
import { auditAddress } from '../audit/messages.ts';
import { envoyAddress } from '../envoy/messages.ts';
import type { ServerError } from '../errors.ts';
import { planAddress } from '../plan/messages.ts';
import type { FleetEntry } from './fleet-batch.ts';
import { drainBatchLimit, exportPageLimit } from './limits.ts';
import { type SinkMessages, sinkAddress } from './messages.ts';
import type { PlanAnswer } from './plan-outcome.ts';
import { isTransient, sinkError } from './sink-error.ts';
import type { SinkWriter } from './writer.ts';

/** One shard's outbox as the sink sees it. */
export interface OutboxSource {
  /** Entries behind `afterSequence`, oldest first. */
  read(afterSequence: number, limit: number): readonly FleetEntry[];
  /** Of the store that the entries stand in; changes when the store was rebuilt. */
  storeId(): number;
}

export interface SinkDependencies {
  readonly writer: SinkWriter;
  /** The outbox of the thread of this name; undefined while it is not there. */
  outbox(origin: string): OutboxSource | undefined;
  /** Tells the outbox's owner that everything through `sequence` is on disk. */
  trim(origin: string, storeId: number, sequence: number): void;
  /** Tells the sink `outboxReady` for this origin, from outside of a turn. */
  wake(origin: string): void;
  log(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

const mailboxLimit = 10_000;
/** The state is only about retries; the database stays open. */
const idleAfterMs = 3_600_000;
const retryFirstMs = 250;
const retryLongestMs = 30_000;

interface SinkState {
  /** Origins whose drain failed. At most one per shard. */
  readonly failures: Map<string, DrainFailure>;
}

interface DrainFailure {
  /** In a row. */
  readonly times: number;
  /** Monotonic time of the next try. */
  readonly notBeforeMs: number;
}

type SinkTurn = Turn<SinkState>;

/** The sink: the one actor that writes SQL. */
export function sinkKind(dependencies: SinkDependencies): ActorKind<SinkState, SinkMessages> {
  const { writer } = dependencies;
  return {
    name: 'sink',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => ({ failures: new Map() }),
    handlers: {
      write: async (turn, { records, audit }) => {
        const { sequence } = await writer.write(records, audit);
        const urgent = audit.some(({ type }) => type === 'policy.published');
        if (audit.length > 0) turn.tell(auditAddress(), 'grown', { urgent });
        return { auditSequence: sequence };
      },
      outboxReady: async (turn, { origin }) => {
        await drain(dependencies, turn, origin);
        return undefined;
      },
      exportIdentities: async (_turn, { after, limit }) => {
        const page = Math.min(limit, exportPageLimit);
        const identities = await writer.identities(after, page);
        return { identities, done: identities.length < page };
      },
      findToken: async (_turn, { id }) => await writer.findToken(id),
      lastSeen: async (_turn, { seen }) => {
        // A minute later they are told again; that the database fails is said where events wait for it.
        await writer.lastSeen(seen).catch(transientError);
        return undefined;
      },
    },
  };
}

/** One batch; more is left for a later turn, so that writes of others get in between. */
async function drain(
  dependencies: SinkDependencies,
  turn: SinkTurn,
  origin: string,
): Promise<void> {
  const source = dependencies.outbox(origin);
  if (source === undefined) return;
  const { failures } = turn.state;
  if ((failures.get(origin)?.notBeforeMs ?? 0) > turn.ports.clock.monotonicMs()) return;
  try {
    const storeId = source.storeId();
    const after = await dependencies.writer.progress(storeId);
    const entries = source.read(after, drainBatchLimit);
    const { sequence, settled, answers, grew } = await dependencies.writer.drain(origin, entries);
    if (sequence > after) dependencies.trim(origin, storeId, sequence);
    if (grew) turn.tell(auditAddress(), 'grown', { urgent: false });
    for (const { envoyId, reportSequence } of settled) {
      turn.tell(envoyAddress(envoyId), 'settled', { reportSequence });
    }
    for (const [planId, envoyIds] of byPlan(answers))
      turn.tell(planAddress(), 'answered', { planId, envoyIds });
    if (failures.delete(origin)) {
      dependencies.log('info', 'the database works again', { origin });
    }
    if (entries.length === drainBatchLimit) turn.tell(sinkAddress(), 'outboxReady', { origin });
  } catch (error) {
    retryLater(dependencies, turn, origin, error);
  }
}

function byPlan(answers: readonly PlanAnswer[]): Map<string, string[]> {
  const plans = new Map<string, string[]>();
  for (const { planId, envoyId } of answers)
    plans.set(planId, [...(plans.get(planId) ?? []), envoyId]);
  return plans;
}

/** What failed and may work later; throws every other error. */
function transientError(error: unknown): ServerError {
  const known = sinkError(error);
  if (known === undefined || !isTransient(known)) throw error;
  return known;
}

/** The outbox keeps everything meanwhile, so a failure costs only time. */
function retryLater(
  dependencies: SinkDependencies,
  turn: SinkTurn,
  origin: string,
  error: unknown,
): void {
  const { code, message, remedy } = transientError(error);
  const { failures } = turn.state;
  const { clock, random } = turn.ports;
  const times = (failures.get(origin)?.times ?? 0) + 1;
  const backoffMs = Math.min(retryFirstMs * 2 ** Math.min(times - 1, 20), retryLongestMs);
  const delayMs = Math.round(backoffMs * (1 + random.fraction() / 2));
  failures.set(origin, { times, notBeforeMs: clock.monotonicMs() + delayMs });
  dependencies.log('error', message, { code, remedy, origin, times, retryInMs: delayMs });
  // Not a durable timer: the disk that the timer would be stored on may be the full one.
  clock.after(delayMs, () => dependencies.wake(origin), { unref: true });
}
