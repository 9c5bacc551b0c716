import { ServerError } from '../errors.ts';
import { sinkAddress } from '../sink/messages.ts';
import type { AuditTurn } from './actor.ts';
import { auditTextLimit } from './chain.ts';
import { type AuditMessages, restoreAcknowledgedType } from './messages.ts';
import { newAuditEvent } from './new-event.ts';

const sinkDeadlineMs = 15_000;

/**
 * Writes the acknowledgement as an entry of the log, which envoys demand to see proven in the
 * checkpoint that they are to take. Returns its sequence.
 */
export async function acknowledgeRestore(
  turn: AuditTurn,
  { through, reason, by }: AuditMessages['acknowledgeRestore']['payload'],
): Promise<number> {
  if (!Number.isSafeInteger(through) || through < 1)
    throw new ServerError('AUDIT_BAD_REQUEST', { reason: 'the number of entries is not one' });
  if (reason.trim() === '')
    throw new ServerError('AUDIT_BAD_REQUEST', { reason: 'auditors will want to know the reason' });
  const details = { through, reason: reason.slice(0, auditTextLimit) };
  const event = newAuditEvent(turn, restoreAcknowledgedType, by, 'audit log', details);
  const payload = { records: [], audit: [event] };
  return (await turn.ask(sinkAddress(), 'write', payload, sinkDeadlineMs)).auditSequence;
}
