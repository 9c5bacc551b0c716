import type { Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { AccountRecord } from './messages.ts';

const sinkDeadlineMs = 15_000;

/** What the accounts actor reads of the database; it sees every write that was acknowledged. */
export interface AccountReader {
  byId(id: string): Promise<AccountRecord | undefined>;
  byName(name: string): Promise<AccountRecord | undefined>;
  /** Whether there was ever an account. */
  any(): Promise<boolean>;
  ownerOf(sessionId: string): Promise<string | undefined>;
}

export interface AccountContext {
  readonly store: AccountReader;
  readonly settings: AccountSettings;
}

export interface AccountSettings {
  /** A session ends after this long without use. */
  readonly sessionIdleMs: number;
  /** A session ends after this long, used or not. */
  readonly sessionLifetimeMs: number;
}

export type AccountTurn = Turn<undefined>;

/** One transaction; resolves when it is on disk. */
export async function write(
  turn: AccountTurn,
  records: SinkRecord[],
  audit: AuditEvent[],
): Promise<void> {
  await turn.ask(sinkAddress(), 'write', { records, audit }, sinkDeadlineMs);
}

export function auditEvent(
  turn: AccountTurn,
  type: AuditEventTypeName,
  actor: string,
  subject: string,
  details: AuditEvent['details'],
): AuditEvent {
  return {
    id: Buffer.from(turn.ports.random.bytes(16)).toString('hex'),
    atMs: turn.ports.clock.nowMs(),
    type,
    actor,
    subject,
    details,
    ...(turn.traceparent === undefined ? {} : { traceparent: turn.traceparent }),
  };
}

/** 8 random bytes, hex. */
export function newId(turn: AccountTurn): string {
  return Buffer.from(turn.ports.random.bytes(8)).toString('hex');
}
