import type { Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from './event.ts';
import type { AuditEventTypeName } from './event-types.ts';

const idBytes = 16;

/** What happened in this turn, with an id of its own and the trace of whoever asked. */
export function newAuditEvent(
  { ports, traceparent }: Pick<Turn<unknown>, 'ports' | 'traceparent'>,
  type: AuditEventTypeName,
  actor: string,
  subject: string,
  details: AuditEvent['details'],
): AuditEvent {
  return {
    id: Buffer.from(ports.random.bytes(idBytes)).toString('hex'),
    atMs: ports.clock.nowMs(),
    type,
    actor,
    subject,
    details,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
