import type { CheckInRequest } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { AuditNews } from '../../agent/protocol/gen/vigo/v1/audit.ts';
import type { Turn } from '../../runtime/actor.ts';
import type { Clock } from '../../runtime/ports/clock.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { auditAddress, witnessLimit } from '../audit/messages.ts';
import type { AuditTables, CheckpointRow, ProofsRow } from '../audit/tables.ts';

/** How late a shard may learn of a checkpoint. */
const viewAgeLimitMs = 200;
/** Sizes without a proof that one shard asks for between two checkpoints. */
const askedLimit = 64;
const noProof = Buffer.alloc(0);

/** What an envoy says of the audit log. */
type Held = Pick<CheckInRequest, 'auditSize' | 'auditMark' | 'auditCosignature'>;

/** What a shard knows of the audit log: one comparison per check-in while nothing is new. */
export class AuditView {
  readonly #store: StoreReader;
  readonly #tables: AuditTables;
  readonly #clock: Clock;
  #current: CheckpointRow | undefined;
  #proofs: ProofsRow | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  readonly #asked = new Set<number>();
  #forwarded = 0;

  constructor(store: StoreReader, tables: AuditTables, clock: Clock) {
    this.#store = store;
    this.#tables = tables;
    this.#clock = clock;
  }

  /**
   * For the answer to a check-in; undefined when the envoy holds the current checkpoint, or the
   * proof that it needs comes with its next check-in. Passes its cosignature on.
   */
  answer(turn: Pick<Turn<unknown>, 'key' | 'tell'>, held: Held): AuditNews | undefined {
    // Not a witness: an older agent.
    if (held.auditMark === 0) return undefined;
    if (this.#clock.monotonicMs() - this.#readAtMs >= viewAgeLimitMs) this.#read();
    if (held.auditCosignature.length > 0) this.#forward(turn, held);
    if (this.#isCurrent(held)) return undefined;
    // The envoy may have a newer one from another shard.
    this.#read();
    const current = this.#current;
    if (current === undefined || this.#isCurrent(held)) return undefined;
    const consistencyProof = this.#proof(turn, current, held.auditSize);
    if (consistencyProof === undefined) return undefined;
    return { checkpoint: current.note, consistencyProof, restored: restoredFor(current, held) };
  }

  #isCurrent({ auditSize, auditMark }: Held): boolean {
    return this.#current?.size === auditSize && this.#current.mark === auditMark;
  }

  #read(): void {
    const row = this.#store.get(this.#tables.checkpoint, 'current');
    this.#readAtMs = this.#clock.monotonicMs();
    if (row?.size === this.#current?.size && row?.mark === this.#current?.mark) return;
    this.#current = row;
    this.#proofs = undefined;
    this.#asked.clear();
    this.#forwarded = 0;
  }

  /** Undefined: not at hand, and asked for. */
  #proof(
    turn: Pick<Turn<unknown>, 'tell'>,
    current: CheckpointRow,
    size: number,
  ): Buffer | undefined {
    if (size === 0 || size >= current.size) return noProof;
    const known = this.#knownProof(current, size);
    if (known !== undefined) return known;
    if (this.#asked.size < askedLimit && !this.#asked.has(size)) {
      this.#asked.add(size);
      turn.tell(auditAddress(), 'wanted', { size });
    }
    return undefined;
  }

  #knownProof(current: CheckpointRow, size: number): Buffer | undefined {
    const name = String(size);
    let proofs = this.#proofs;
    // Another one may have asked for this size since the row was read.
    if (proofs?.size !== current.size || proofs.from[name] === undefined) {
      proofs = this.#store.get(this.#tables.proofs, 'current');
      this.#proofs = proofs;
    }
    const proof = proofs?.size === current.size ? proofs.from[name] : undefined;
    return proof === undefined ? undefined : Buffer.from(proof);
  }

  #forward(turn: Pick<Turn<unknown>, 'key' | 'tell'>, held: Held): void {
    if (!this.#isCurrent(held) || this.#forwarded >= witnessLimit) return;
    this.#forwarded += 1;
    const payload = Uint8Array.from(held.auditCosignature);
    turn.tell(auditAddress(), 'cosigned', { size: held.auditSize, envoyId: turn.key, payload });
  }
}

function restoredFor({ restored }: CheckpointRow, { auditSize }: Held): AuditNews['restored'] {
  if (restored === undefined || auditSize === 0 || auditSize > restored.through) return undefined;
  const { entry, inclusionProof } = restored;
  return { entry, inclusionProof: Buffer.from(inclusionProof) };
}
