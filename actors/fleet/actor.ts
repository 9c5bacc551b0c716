import type { ActorKind, Turn } from '../../runtime/actor.ts';
import { newId } from '../enrollment/context.ts';
import { codeOf, ServerError } from '../errors.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { FleetMessages } from './messages.ts';

const mailboxLimit = 1_000;
const sinkDeadlineMs = 10_000;

type FleetTurn = Turn<undefined>;

/** What administrators note about the fleet, and its history; see messages.ts. Keeps nothing of its own. */
export const fleetKind: ActorKind<undefined, FleetMessages> = {
  name: 'fleet',
  placement: 'service',
  mailboxLimit,
  idleAfterMs: 0,
  restart: { maxRestarts: 10, withinMs: 60_000 },
  activate: () => undefined,
  handlers: {
    maintenance,
    saveView: async (turn, { owner, name, query }) => {
      const changedAtMs = turn.ports.clock.nowMs();
      await write(turn, { record: 'savedView', owner, view: { name, query, changedAtMs } });
      return { changedAtMs };
    },
    removeView: async (turn, { owner, name }) => {
      await write(turn, { record: 'savedViewRemoved', owner, name });
      return undefined;
    },
    minute: async (turn, minute) => {
      // A database that takes nothing leaves a gap in the charts; the alarm about it comes from elsewhere.
      await write(turn, { record: 'fleetMinute', ...minute }).catch(() => undefined);
      return undefined;
    },
  },
};

async function maintenance(
  turn: FleetTurn,
  { envoyId, on, reason, by }: FleetMessages['maintenance']['payload'],
): Promise<undefined> {
  const { clock, random } = turn.ports;
  const atMs = clock.nowMs();
  const value = on ? { sinceMs: atMs, reason, by } : undefined;
  const event = {
    id: newId(random),
    atMs,
    type: on ? 'envoy.maintenance_began' : 'envoy.maintenance_ended',
    actor: by,
    subject: envoyId,
    details: { reason },
    ...(turn.traceparent === undefined ? {} : { traceparent: turn.traceparent }),
  } as const;
  const record = { record: 'envoyMaintenance', envoyId, maintenance: value } as const;
  try {
    await turn.ask(sinkAddress(), 'write', { records: [record], audit: [event] }, sinkDeadlineMs);
  } catch (error) {
    if (codeOf(error) !== 'SINK_CONFLICT') throw error;
    throw new ServerError('FLEET_ENVOY_UNKNOWN', { envoyId });
  }
}

async function write(turn: FleetTurn, record: SinkRecord): Promise<void> {
  await turn.ask(sinkAddress(), 'write', { records: [record], audit: [] }, sinkDeadlineMs);
}
