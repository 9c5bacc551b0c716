import type { Kysely, Transaction } from 'kysely';
import { UpdatePhase } from '../../agent/protocol/gen/vigo/v1/release.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { type EnvoyUpdateView, updatePhaseName } from './envoy-update-view.ts';
import type { FleetEvents } from './messages.ts';
import type { SinkSchema } from './schema.ts';

export type ReportedUpdate = FleetEvents['update.reported'];

const eventTypes = new Map<number, AuditEventTypeName>([
  [UpdatePhase.UPDATE_PHASE_FETCHING, 'update.started'],
  [UpdatePhase.UPDATE_PHASE_TRIAL, 'update.tried'],
  [UpdatePhase.UPDATE_PHASE_ACCEPTED, 'update.accepted'],
  [UpdatePhase.UPDATE_PHASE_FAILED, 'update.failed'],
  [UpdatePhase.UPDATE_PHASE_RETURNED, 'update.returned'],
  [UpdatePhase.UPDATE_PHASE_POSTPONED, 'update.postponed'],
]);

/** Throws for a phase that is none. The same news, told twice, is one event. */
export function updateEvent(
  { envoyId, version, phase, code, message, atMs }: ReportedUpdate,
  receivedAtMs: number,
): AuditEvent {
  const type = eventTypes.get(phase);
  if (type === undefined) throw new TypeError(`there is no phase ${phase}`);
  return {
    id: `${envoyId}/update/${atMs}/${phase}`,
    atMs: receivedAtMs,
    type,
    actor: `envoy:${envoyId}`,
    subject: envoyId,
    details: { version, ...(code === '' ? {} : { code, message }) },
  };
}

export async function writeUpdate(
  writer: Transaction<SinkSchema>,
  { envoyId, version, phase, code, message, atMs }: ReportedUpdate,
): Promise<void> {
  const view: EnvoyUpdateView = { version, phase: updatePhaseName(phase), code, message, atMs };
  await writer
    .updateTable('envoys')
    .set({ agent_update: JSON.stringify(view) })
    .where('envoy_id', '=', envoyId)
    .execute();
}

export async function addAgentUpdates(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('envoys').addColumn('agent_update', 'text').execute();
}
