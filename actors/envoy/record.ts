import type { Codec, Table } from '../../runtime/store.ts';
import { envoyLimit } from '../policy/tables.ts';

const format = 1;
const rootLength = 32;
const traitsHashLength = 16;
const agentVersionLimit = 32;

const at = {
  format: 0,
  state: 1,
  agentVersionLength: 2,
  flags: 3,
  driftRuns: 4,
  lastSeenMs: 8,
  timestampMs: 16,
  sequence: 24,
  policyVersion: 32,
  servedRevision: 40,
  reportSequence: 48,
  durableReportSequence: 56,
  settledReportSequence: 64,
  seenEmittedMs: 72,
  agentRoot: 80,
  servedRoot: 112,
  traitsHash: 144,
  agentVersion: 160,
} as const;

/** Bytes of one envoy's hot record. */
export const envoyRecordSize = at.agentVersion + agentVersionLimit;

const revokedFlag = 1;

/**
 * The hot record of one envoy: a fixed layout, little endian, numbers as doubles (exact up to
 * 2^53). It is its own encoding, so storing it costs no conversion. What must not reach the store
 * without the turn that it belongs to is written into a `copy()`.
 */
export class EnvoyRecord {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  static empty(): EnvoyRecord {
    const bytes = Buffer.alloc(envoyRecordSize);
    bytes[at.format] = format;
    return new EnvoyRecord(bytes);
  }

  copy(): EnvoyRecord {
    return new EnvoyRecord(Buffer.from(this.bytes));
  }

  /** ConvergenceState of the last run. */
  get state(): number {
    return this.bytes[at.state] ?? 0;
  }
  set state(value: number) {
    this.bytes[at.state] = value;
  }

  /** Runs in a row that found drift; see convergence.ts. */
  get driftRuns(): number {
    return this.bytes[at.driftRuns] ?? 0;
  }
  set driftRuns(value: number) {
    this.bytes[at.driftRuns] = value;
  }

  get revoked(): boolean {
    return ((this.bytes[at.flags] ?? 0) & revokedFlag) !== 0;
  }
  set revoked(value: boolean) {
    this.bytes[at.flags] = value ? revokedFlag : 0;
  }

  /** Server's clock. */
  get lastSeenMs(): number {
    return this.bytes.readDoubleLE(at.lastSeenMs);
  }
  set lastSeenMs(value: number) {
    this.bytes.writeDoubleLE(value, at.lastSeenMs);
  }

  /** Envoy's clock in the last accepted request. */
  get timestampMs(): number {
    return this.bytes.readDoubleLE(at.timestampMs);
  }
  set timestampMs(value: number) {
    this.bytes.writeDoubleLE(value, at.timestampMs);
  }

  /** Of the last accepted request. */
  get sequence(): number {
    return this.bytes.readDoubleLE(at.sequence);
  }
  set sequence(value: number) {
    this.bytes.writeDoubleLE(value, at.sequence);
  }

  /** What the envoy said it enforces. */
  get policyVersion(): number {
    return this.bytes.readDoubleLE(at.policyVersion);
  }
  set policyVersion(value: number) {
    this.bytes.writeDoubleLE(value, at.policyVersion);
  }

  /** The revision of the policy for which `servedRoot` was looked up. */
  get servedRevision(): number {
    return this.bytes.readDoubleLE(at.servedRevision);
  }
  set servedRevision(value: number) {
    this.bytes.writeDoubleLE(value, at.servedRevision);
  }

  /** Highest report sequence that the envoy says it has created. */
  get reportSequence(): number {
    return this.bytes.readDoubleLE(at.reportSequence);
  }
  set reportSequence(value: number) {
    this.bytes.writeDoubleLE(value, at.reportSequence);
  }

  /** Highest report sequence in this server's outbox or database. */
  get durableReportSequence(): number {
    return this.bytes.readDoubleLE(at.durableReportSequence);
  }
  set durableReportSequence(value: number) {
    this.bytes.writeDoubleLE(value, at.durableReportSequence);
  }

  /** Highest report sequence in the database. */
  get settledReportSequence(): number {
    return this.bytes.readDoubleLE(at.settledReportSequence);
  }
  set settledReportSequence(value: number) {
    this.bytes.writeDoubleLE(value, at.settledReportSequence);
  }

  /** When the database was last told of this envoy. */
  get seenEmittedMs(): number {
    return this.bytes.readDoubleLE(at.seenEmittedMs);
  }
  set seenEmittedMs(value: number) {
    this.bytes.writeDoubleLE(value, at.seenEmittedMs);
  }

  agentRootEquals(root: Uint8Array): boolean {
    return equalsAt(this.bytes, at.agentRoot, root, rootLength);
  }
  setAgentRoot(root: Uint8Array): void {
    replaceAt(this.bytes, at.agentRoot, root, rootLength);
  }

  servedRootEquals(root: Uint8Array): boolean {
    return equalsAt(this.bytes, at.servedRoot, root, rootLength);
  }
  setServedRoot(root: Uint8Array): void {
    replaceAt(this.bytes, at.servedRoot, root, rootLength);
  }

  traitsHashEquals(hash: Uint8Array): boolean {
    return equalsAt(this.bytes, at.traitsHash, hash, traitsHashLength);
  }
  setTraitsHash(hash: Uint8Array): void {
    replaceAt(this.bytes, at.traitsHash, hash, traitsHashLength);
  }

  get agentVersion(): string {
    const length = this.bytes[at.agentVersionLength] ?? 0;
    return this.bytes.toString('latin1', at.agentVersion, at.agentVersion + length);
  }
  /** Longer names are cut; a version is printable ASCII. */
  set agentVersion(value: string) {
    const text = value.slice(0, agentVersionLimit);
    this.bytes[at.agentVersionLength] = text.length;
    this.bytes.write(text, at.agentVersion, agentVersionLimit, 'latin1');
  }
}

/** An absent value (no bytes) equals a field of zeros. */
function equalsAt(bytes: Buffer, offset: number, value: Uint8Array, length: number): boolean {
  if (value.length !== length && value.length !== 0) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[offset + index] !== (value[index] ?? 0)) return false;
  }
  return true;
}

function replaceAt(bytes: Buffer, offset: number, value: Uint8Array, length: number): void {
  if (value.length !== length) bytes.fill(0, offset, offset + length);
  else bytes.set(value, offset);
}

const codec: Codec<EnvoyRecord> = {
  encode: (record) => record.bytes,
  // The store may reuse the bytes that it lends, hence the copy. A record of a foreign format is
  // treated as lost state, which the envoy's next exchanges restore.
  decode: (bytes) => {
    if (bytes.length !== envoyRecordSize || bytes[at.format] !== format) return EnvoyRecord.empty();
    return new EnvoyRecord(Buffer.from(bytes));
  },
};

/** Hot records by UUID, in the store of the shard that owns the envoy. */
export const envoyTable: Table<EnvoyRecord> = { name: 'envoys', codec, rowLimit: envoyLimit };
