import { decodeChecked, encodeChecked } from '../offline/checked-file.ts';
import type { StateFiles } from '../offline/state-files.ts';
import { canonicalJsonBytes } from '../protocol/canonical-json.ts';
import type { RestoreStatement } from './restore.ts';

export const witnessFileName = 'audit-log';
/** Plain JSON, for people and for a court: each pair of notes is signed by the server itself. */
export const evidenceFileName = 'audit-evidence.json';
/** Contradictions that are kept: the first and the newest ones. */
const evidenceLimit = 8;
const stateFormat = 1;

/** What this node remembers of the server's audit log. */
export interface WitnessState {
  /** The newest checkpoint that continued all before it: a signed note. */
  readonly note: string;
  /** When it was taken over, by this node's clock. */
  readonly atMs: number;
  readonly conflict?: Contradiction;
  /** The last restore that an administrator acknowledged and this node accepted. */
  readonly restored?: RestoreStatement & { readonly acceptedAtMs: number };
}

/** Two checkpoints of one log that cannot both be true. */
export interface Contradiction {
  readonly code: string;
  readonly sinceMs: number;
  /** Signed notes. */
  readonly held: string;
  readonly offered: string;
  /** What was to prove that the one continues the other, hex. */
  readonly consistencyProof: string;
}

/** Undefined when there is none, or when the file is damaged: then the node begins to watch anew. */
export async function loadWitnessState(files: StateFiles): Promise<WitnessState | undefined> {
  const stored = await files.read(witnessFileName);
  const content = stored === undefined ? undefined : decodeChecked(stored);
  if (content === undefined) return undefined;
  const parsed = JSON.parse(new TextDecoder().decode(content)) as WitnessState & { format: number };
  if (parsed.format !== stateFormat) return undefined;
  const { format: _, ...state } = parsed;
  return state;
}

/** Durable when it resolves. */
export async function saveWitnessState(files: StateFiles, state: WitnessState): Promise<void> {
  const content = canonicalJsonBytes({ ...state, format: stateFormat });
  await files.replace(witnessFileName, encodeChecked(content));
}

export async function loadEvidence(files: StateFiles): Promise<Contradiction[]> {
  const stored = await files.read(evidenceFileName).catch(() => undefined);
  if (stored === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(stored));
    return Array.isArray(parsed) ? (parsed as Contradiction[]) : [];
  } catch {
    return [];
  }
}

export async function keepEvidence(files: StateFiles, evidence: Contradiction): Promise<void> {
  const known = await loadEvidence(files);
  const all = [...known, evidence];
  const kept = all.length <= evidenceLimit ? all : [all[0], ...all.slice(1 - evidenceLimit)];
  await files.replace(
    evidenceFileName,
    new TextEncoder().encode(`${JSON.stringify(kept, undefined, 2)}\n`),
  );
}
