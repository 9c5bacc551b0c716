import type { Turn } from '../../runtime/actor.ts';
import type { Random } from '../../runtime/ports/random.ts';
import type { Table } from '../../runtime/store.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { IdentityRow } from '../policy/tables.ts';
import type { CertificateAuthority } from '../server/certificate-authority.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import type { FailureLimit } from './failure-limit.ts';
import { uuidFromBytes } from './identity.ts';
import type { SecretHash } from './secret-hash.ts';

export const sinkDeadlineMs = 15_000;

export interface EnrollmentDependencies {
  readonly authority: CertificateAuthority;
  readonly identities: Table<IdentityRow>;
  readonly secrets: SecretHash;
  /** Shared by all enrollment actors of the thread. */
  readonly failures: FailureLimit;
  readonly certificateValidityMs: number;
  /** Most envoys that may be enrolled. */
  readonly envoyLimit: number;
}

export interface EnrollmentState {
  /** Verified instead of a hash that is not there, so that an unknown token takes as long as a known. */
  readonly decoyHash: string;
}

export type EnrollmentTurn = Turn<EnrollmentState>;

/** The durable write that every decision ends with. */
export async function writeDurably(
  turn: EnrollmentTurn,
  records: SinkRecord[],
  audit: AuditEvent[],
): Promise<void> {
  await turn.ask(sinkAddress(), 'write', { records, audit }, sinkDeadlineMs);
}

export function newId(random: Pick<Random, 'bytes'>): string {
  return uuidFromBytes(random.bytes(16));
}
