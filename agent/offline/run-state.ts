import type { PassState, PassSummary } from '../converge/result.ts';
import type { Action } from '../executors/contract.ts';
import { canonicalJsonBytes } from '../protocol/canonical-json.ts';
import { decodeChecked, encodeChecked } from './checked-file.ts';
import type { StateFiles } from './state-files.ts';

const fileName = 'state';
const stateFormat = 1;

export interface ResourceState {
  readonly id: string;
  readonly type: string;
  readonly action: Action;
  readonly reason: string;
  readonly errorCode: string;
}

export interface LastRun {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly state: PassState;
  readonly dryRun: boolean;
  readonly offline: boolean;
  readonly policyVersion: number;
  readonly summary: PassSummary;
  readonly resources: readonly ResourceState[];
}

/** What the agent remembers between passes and restarts, beside its policy and its queue. */
export interface RunState {
  /** Whose state this is; another envoy's is forgotten. */
  readonly envoyId?: string;
  /** Newest policy ever accepted: an older one is refused even when the cache is gone. */
  readonly held?: { readonly policyVersion: number; readonly secretsEpoch: number };
  /** Policy version of the last pass; another one makes the next pass a first one. */
  readonly passedVersion?: number;
  /** Root of the last pass, hex; a version that comes in stages has two. */
  readonly passedRoot?: string;
  /** Secrets epoch of the last pass, likewise. */
  readonly passedSecretsEpoch?: number;
  readonly lastRun?: LastRun;
  /** Resource id to "action errorCode", as last reported; resources that were fine are left out. */
  readonly reported?: Readonly<Record<string, string>>;
  readonly reportedAtMs?: number;
  readonly pendingTriggers?: readonly string[];
  readonly lastContactMs?: number;
  /** Code and message of the last failed attempt to reach the server; absent when it answered. */
  readonly contactFailure?: string;
}

/** An unreadable file is an empty memory: everything in it can be found out again. */
export async function loadRunState(files: StateFiles): Promise<RunState> {
  const stored = await files.read(fileName);
  const content = stored === undefined ? undefined : decodeChecked(stored);
  if (content === undefined) return {};
  const parsed = JSON.parse(new TextDecoder().decode(content)) as RunState & { format: number };
  return parsed.format === stateFormat ? parsed : {};
}

/**
 * After this machine became another envoy, nothing of the former one may be enforced or reported in
 * the new one's name. Rejects with AGENT_STATE_WRITE when it cannot be removed.
 */
export async function forgetOtherEnvoy(
  files: StateFiles,
  envoyId: string,
  fileNames: readonly string[],
): Promise<void> {
  const state = await loadRunState(files);
  if (state.envoyId === envoyId) return;
  if (state.envoyId !== undefined) for (const name of fileNames) await files.remove(name);
  const kept = state.envoyId === undefined ? state : {};
  // A full disk is told by the first pass; only removing must not fail in silence.
  await saveRunState(files, { ...kept, envoyId }).catch(() => undefined);
}

export async function saveRunState(files: StateFiles, state: RunState): Promise<void> {
  await files.replace(
    fileName,
    encodeChecked(canonicalJsonBytes({ ...state, format: stateFormat })),
  );
}
