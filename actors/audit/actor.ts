import { equalBytes } from '../../agent/protocol/bytes.ts';
import type { Signer, Verifier } from '../../agent/protocol/crypto.ts';
import {
  auditLogKey,
  checkpointText,
  cosignedAt,
  rootMark,
  signCheckpoint,
} from '../../agent/protocol/transparency/checkpoint.ts';
import type { TreeHead } from '../../agent/protocol/transparency/proof.ts';
import type { ActorKind, Turn } from '../../runtime/actor.ts';
import type { Table } from '../../runtime/store.ts';
import { codeOf } from '../errors.ts';
import type { IdentityRow } from '../policy/tables.ts';
import type { AuditRow } from './chain.ts';
import { entryText } from './leaf.ts';
import {
  type AuditMessages,
  restoreAcknowledgedType,
  type StoredCheckpoint,
  type StoredCosignature,
  witnessLimit,
} from './messages.ts';
import { acknowledgeRestore } from './restore.ts';
import type { AuditTables, CheckpointRow } from './tables.ts';

const mailboxLimit = 10_000;
/** What is remembered costs little, and is read from SQL again when it was forgotten. */
const idleAfterMs = 3_600_000;
/** The newest checkpoints: envoys hold one of them, so proofs from all of them are made. */
const recentLimit = 16;
/** Other sizes that envoys hold: those that were away. */
const wantedLimit = 64;
/** Cosignatures that wait to be stored. */
const pendingLimit = 1_000;
const flushMs = 500;
/** Between two checkpoints, whatever the check-in interval is; half of it otherwise. */
const leastSpacingMs = 500;
const longestSpacingMs = 300_000;
const retryMs = 5_000;

/** The database of the log, as the actor uses it (actors/sink/audit-log-store.ts). */
export interface AuditLog {
  head(): Promise<TreeHead>;
  consistency(older: number, newer: number): Promise<Uint8Array[] | undefined>;
  inclusion(sequence: number, size: number): Promise<Uint8Array[] | undefined>;
  lastOfType(type: string): Promise<AuditRow | undefined>;
  checkpoints(limit: number): Promise<StoredCheckpoint[]>;
  saveCheckpoint(checkpoint: StoredCheckpoint): Promise<void>;
  saveCosignatures(cosignatures: readonly StoredCosignature[]): Promise<void>;
  witnesses(size: number): Promise<string[]>;
}

export interface AuditDependencies {
  readonly log: AuditLog;
  readonly tables: AuditTables;
  readonly identities: Table<IdentityRow>;
  /** Of the bundle key, which envoys pin. */
  readonly signer: Signer;
  readonly verifier: Verifier;
  /** Of check-ins: envoys cannot follow many more checkpoints. */
  readonly intervalMs: number;
  say(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

interface AuditState {
  /** Newest first; undefined before SQL was read. */
  recent: StoredCheckpoint[] | undefined;
  /** Wall clock of the last checkpoint that this process made. */
  madeAtMs: number;
  isWaiting: boolean;
  readonly wanted: Set<number>;
  pending: StoredCosignature[];
  /** Size -> envoys that have cosigned; for recent checkpoints. */
  readonly witnesses: Map<number, Set<string>>;
}

export type AuditTurn = Turn<AuditState>;

export function auditKind(dependencies: AuditDependencies): ActorKind<AuditState, AuditMessages> {
  return {
    name: 'audit',
    placement: 'service',
    mailboxLimit,
    idleAfterMs,
    restart: { maxRestarts: 10, withinMs: 60_000 },
    activate: () => ({
      recent: undefined,
      madeAtMs: 0,
      isWaiting: false,
      wanted: new Set(),
      pending: [],
      witnesses: new Map(),
    }),
    handlers: {
      grown: (turn, { urgent }) => grown(dependencies, turn, urgent),
      checkpoint: async (turn, { publishAnyway = false }) => {
        turn.state.isWaiting = false;
        await attempt(dependencies, turn, () => makeCheckpoint(dependencies, turn, publishAnyway));
        return undefined;
      },
      recover: async (turn) => {
        warnOfShrunkLog(dependencies, turn, await dependencies.log.head());
        const { size } = await makeCheckpoint(dependencies, turn, true);
        return { size };
      },
      wanted: async (turn, { size }) => {
        const { wanted } = turn.state;
        wanted.delete(size);
        wanted.add(size);
        for (const oldest of wanted) {
          if (wanted.size <= wantedLimit) break;
          wanted.delete(oldest);
        }
        await attempt(dependencies, turn, () => makeCheckpoint(dependencies, turn, true));
        return undefined;
      },
      cosigned: (turn, cosignature) => cosigned(dependencies, turn, cosignature),
      flush: async (turn) => {
        const { pending } = turn.state;
        turn.state.pending = [];
        if (pending.length > 0)
          await attempt(dependencies, turn, () => dependencies.log.saveCosignatures(pending));
        return undefined;
      },
      acknowledgeRestore: async (turn, statement) => {
        const sequence = await acknowledgeRestore(turn, statement);
        const { size } = await makeCheckpoint(dependencies, turn);
        return { sequence, size };
      },
    },
  };
}

async function grown(
  dependencies: AuditDependencies,
  turn: AuditTurn,
  urgent: boolean,
): Promise<undefined> {
  const { state, ports } = turn;
  const { intervalMs } = dependencies;
  const spacingMs = Math.min(longestSpacingMs, Math.max(leastSpacingMs, intervalMs / 2));
  const dueMs = state.madeAtMs + spacingMs;
  const nowMs = ports.clock.nowMs();
  if (urgent || nowMs >= dueMs || dueMs > nowMs + spacingMs) {
    await attempt(dependencies, turn, () => makeCheckpoint(dependencies, turn));
  } else if (!state.isWaiting) {
    state.isWaiting = true;
    turn.setTimer('checkpoint', dueMs, 'checkpoint', {});
  }
}

/** A database that cannot be written now is no reason to end: the log itself waits for it too. */
async function attempt(
  { say }: AuditDependencies,
  turn: AuditTurn,
  run: () => Promise<unknown>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    const code = codeOf(error);
    if (!code.startsWith('SINK_')) throw error;
    say('error', 'the audit log has no new checkpoint', { code });
    const atMs = turn.ports.clock.nowMs() + retryMs;
    // The shard that asked for a proof asks no second time.
    turn.setTimer('checkpoint', atMs, 'checkpoint', { publishAnyway: true });
  }
}

/**
 * Signs the tree as it is on disk, when that is news, and tells shards. The note is durable before
 * anybody sees it: an envoy that has seen a checkpoint holds the server to it.
 */
async function makeCheckpoint(
  dependencies: AuditDependencies,
  turn: AuditTurn,
  publishAnyway = false,
): Promise<TreeHead> {
  const { log, signer } = dependencies;
  const { state, ports } = turn;
  const head = await log.head();
  state.recent ??= await log.checkpoints(recentLimit);
  const last = state.recent[0];
  const isNews = last?.size !== head.size || !equalBytes(last.root, head.root);
  if (head.size === 0 || (!isNews && !publishAnyway)) return head;
  if (isNews) {
    const atMs = ports.clock.nowMs();
    const checkpoint = { ...head, note: signCheckpoint(head, signer), atMs };
    await log.saveCheckpoint(checkpoint);
    state.recent = [checkpoint, ...state.recent].slice(0, recentLimit);
    state.madeAtMs = atMs;
    forgetWitnesses(state, head.size);
  }
  await publish(dependencies, turn, state.recent);
  return head;
}

async function publish(
  { log, tables }: AuditDependencies,
  turn: AuditTurn,
  recent: readonly StoredCheckpoint[],
): Promise<void> {
  const [current, ...older] = recent;
  if (current === undefined) return;
  const { size, root, note } = current;
  const from: Record<string, Uint8Array> = {};
  for (const held of new Set([...older.map((each) => each.size), ...turn.state.wanted])) {
    if (held >= size) continue;
    const proof = await log.consistency(held, size);
    // Nodes that are gone leave nothing to prove with; the envoy draws its conclusion.
    from[String(held)] = proof === undefined ? new Uint8Array(0) : Buffer.concat(proof);
  }
  const restored = await restoredOf(log, size);
  const row = { size, mark: rootMark(root), note, ...(restored && { restored }) };
  turn.put(tables.proofs, 'current', { size, from });
  turn.put(tables.checkpoint, 'current', row);
}

async function restoredOf(log: AuditLog, size: number): Promise<CheckpointRow['restored']> {
  const row = await log.lastOfType(restoreAcknowledgedType);
  if (row === undefined || row.sequence > size) return undefined;
  const proof = await log.inclusion(row.sequence, size);
  if (proof === undefined) return undefined;
  const through = Number(row.event.details.through);
  return { through, entry: entryText(row), inclusionProof: Buffer.concat(proof) };
}

async function cosigned(
  { verifier, signer, log, identities }: AuditDependencies,
  turn: AuditTurn,
  cosignature: StoredCosignature,
): Promise<undefined> {
  const { state, store, ports } = turn;
  const { size, envoyId, payload } = cosignature;
  const checkpoint = state.recent?.find((each) => each.size === size);
  const identity = store.get(identities, envoyId);
  if (checkpoint === undefined || identity === undefined || identity.revoked) return;
  let witnesses = state.witnesses.get(size);
  if (witnesses === undefined) {
    witnesses = new Set(await log.witnesses(size));
    state.witnesses.set(size, witnesses);
  }
  if (witnesses.has(envoyId) || witnesses.size >= witnessLimit) return;
  if (state.pending.length >= pendingLimit) return;
  const { name } = auditLogKey(signer.publicKey, signer);
  const text = checkpointText({ origin: name, size, root: checkpoint.root });
  if (cosignedAt(text, payload, identity.publicKey, verifier) === undefined) return;
  witnesses.add(envoyId);
  if (state.pending.length === 0)
    turn.setTimer('flush', ports.clock.nowMs() + flushMs, 'flush', {});
  state.pending.push(cosignature);
}

/** Of checkpoints that are not recent any more, or whose size has another one now. */
function forgetWitnesses(state: AuditState, replacedSize: number): void {
  const sizes = new Set(state.recent?.map(({ size }) => size));
  sizes.delete(replacedSize);
  for (const size of state.witnesses.keys()) if (!sizes.has(size)) state.witnesses.delete(size);
  state.pending = state.pending.filter(({ size }) => size !== replacedSize);
}

/** The store outlives a database that is put back from a backup: then people are told at once. */
function warnOfShrunkLog(
  { tables, say }: AuditDependencies,
  { store }: AuditTurn,
  head: TreeHead,
): void {
  const told = store.get(tables.checkpoint, 'current')?.size ?? 0;
  if (told <= head.size) return;
  say('error', 'the audit log is shorter than this server has told its envoys', {
    entries: head.size,
    told,
    remedy: `if a backup was restored: vigocli audit acknowledge-restore --through ${told}`,
  });
}
