import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import { sinkAddress } from '../sink/messages.ts';
import type { BackupMessages, BackupOrder, BackupProgress, BackupView } from './messages.ts';

const mailboxLimit = 100;
const idleAfterMs = 600_000;
const sinkDeadlineMs = 15_000;

/** The files of backups; the server fills it (actors/server/backup). */
export interface BackupServices {
  create(order: BackupOrder, tell: (progress: BackupProgress) => void): Promise<BackupView>;
  list(): Promise<readonly BackupView[]>;
  /** Rejects with BACKUP_UNKNOWN. */
  find(name: string): Promise<BackupView>;
  check(name: string): Promise<{ name: string; sha256: string; same: boolean }>;
}

/** One backup is made at a time; the others wait in the mailbox. */
export function backupKind(services: BackupServices): ActorKind<undefined, BackupMessages> {
  // Beside the actors: the one that makes a backup is busy, and another one tells how far it is.
  let running: BackupProgress | null = null;
  return {
    name: 'backup',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => undefined,
    handlers: {
      create: async (turn, order) => {
        try {
          const view = await services.create(order, (progress) => {
            running = progress;
          });
          await audit(turn, 'backup.created', order.by, view);
          return view;
        } finally {
          running = null;
        }
      },
      list: async () => ({ items: await services.list(), running }),
      take: async (turn, { name, by }) => {
        await audit(turn, 'backup.taken', by, await services.find(name));
        return undefined;
      },
      check: (_turn, { name }) => services.check(name),
    },
  };
}

async function audit(
  turn: Turn<undefined>,
  type: AuditEventTypeName,
  by: string,
  view: BackupView,
): Promise<void> {
  const { name, bytes, sha256, encrypted } = view;
  const event = newAuditEvent(turn, type, by, name, { bytes, sha256, encrypted });
  await turn.ask(sinkAddress(), 'write', { records: [], audit: [event] }, sinkDeadlineMs);
}
