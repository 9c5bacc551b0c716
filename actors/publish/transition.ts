import type { AuditEvent } from '../audit/event.ts';
import { type SinkMessages, type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { PublishContext } from './context.ts';
import { publishAddress } from './messages.ts';
import type { LiveVersion, PublishState } from './state.ts';

const sinkDeadlineMs = 30_000;
const flushRetryMs = 5_000;
/** Records and events that may wait for the database; beyond them the oldest events are dropped. */
export const unsentLimit = 5_000;

type Unsent = SinkMessages['write']['payload'];

/**
 * The commit point of every change: what the state file says counts. Records and events go into the
 * same file, so that each committed change, and no other, reaches history and audit, if late.
 */
export async function transition(
  context: PublishContext,
  before: Pick<PublishState, 'unsent'>,
  next: Omit<PublishState, 'unsent'>,
  told: { readonly audit: readonly AuditEvent[]; readonly record?: LiveVersion },
): Promise<PublishState> {
  const { turn, file } = context;
  const waiting = turn.state.flushed === lastId(before.unsent) ? undefined : before.unsent;
  const audit = [...(waiting?.audit ?? []), ...told.audit].slice(-unsentLimit);
  const record = told.record === undefined ? [] : [versionRecord(told.record)];
  const records = [...(waiting?.records ?? []), ...record].slice(-unsentLimit);
  const after = { ...next, unsent: { records, audit } };
  turn.state.known = undefined;
  await file.write(after);
  turn.state.known = after;
  return after;
}

/** Hands over what the database lacks; a failure is tried again by timer. */
export async function flush({ turn }: PublishContext, { unsent }: PublishState): Promise<void> {
  const last = lastId(unsent);
  if (last === undefined || turn.state.flushed === last) return;
  try {
    await turn.ask(sinkAddress(), 'write', unsent, sinkDeadlineMs);
    turn.state.flushed = last;
    turn.clearTimer('flush');
  } catch {
    const atMs = turn.ports.clock.nowMs() + flushRetryMs;
    turn.setTimer('flush', atMs, 'flush', {});
  }
}

/** After the turn: the database must not delay what protects the fleet. */
export function flushLater({ turn }: PublishContext): void {
  turn.tell(publishAddress(), 'flush', {});
}

/** What is refused or about to happen: without a working audit log it does not. */
export async function auditNow({ turn }: PublishContext, event: AuditEvent): Promise<void> {
  await turn.ask(sinkAddress(), 'write', { records: [], audit: [event] }, sinkDeadlineMs);
}

function lastId({ audit }: Unsent): string | undefined {
  return audit.at(-1)?.id;
}

function versionRecord(live: LiveVersion): SinkRecord {
  const { generation: _, ...version } = live;
  return { record: 'policyVersion', ...version };
}
