import type { AnyKind } from '../../runtime/host.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import { auditKind } from '../audit/actor.ts';
import { auditAddress } from '../audit/messages.ts';
import type { SinkWriter } from '../sink/writer.ts';
import { sodiumPemSigner, sodiumVerifier } from './crypto/sodium.ts';
import type { Log } from './log.ts';
import { auditLogTables, type ServerThreadData, serverTables } from './thread-data.ts';

const recoverDeadlineMs = 50_000;

/** The actor that signs checkpoints of the audit log, with the key that envoys pin. */
export function auditServices(data: ServerThreadData, writer: SinkWriter, log: Log): AnyKind {
  return auditKind({
    log: writer.auditLog,
    tables: auditLogTables,
    identities: serverTables.identities,
    signer: sodiumPemSigner(data.bundleSigningKey),
    verifier: sodiumVerifier,
    intervalMs: data.config.checkin.intervalMs,
    say: (level, message, fields) => log[level](fields, message),
  });
}

/** Before shards serve: an envoy must not be told an older checkpoint than it has seen. */
export async function recoverAudit(system: ThreadSystem, log: Log): Promise<void> {
  try {
    await system.ask(auditAddress(), 'recover', {}, { deadlineMs: recoverDeadlineMs });
  } catch (error) {
    log.error({ err: error }, 'the audit log has no checkpoint that envoys could watch');
  }
}
