import type { PassState, PassSummary } from '../../converge/result.ts';
import type { Action } from '../../executors/contract.ts';
import type { LiveSchedule } from '../../live-facts.ts';
import type { ChangeCause } from '../../offline/history-entry.ts';
import type { UpdateStatePhase } from '../../update/update-state.ts';

/**
 * What `vigo status --json` prints; docs/status.md explains each field. Fields are added, never
 * changed. Times are milliseconds since 1970, durations milliseconds.
 */
export interface StatusDocument {
  /** Of the program that prints this. */
  readonly version: string;
  /** "limited": asked by a user who may not read the state; no resources are told. */
  readonly scope: 'full' | 'limited';
  readonly configDirectory: string;
  readonly stateDirectory: string;
  readonly root: string;
  readonly agent: AgentStatus;
  readonly envoyId?: string;
  readonly server?: string;
  /** Whether the last attempt of the agent reached the server; absent before the first one. */
  readonly serverReachable?: boolean;
  readonly registeredAtMs?: number;
  /** Why no identity could be read. */
  readonly identityProblem?: string;
  readonly policy?: PolicyStatus;
  /** Why the cached policy is not enforced. */
  readonly policyProblem?: string;
  readonly lastRun?: RunStatus;
  readonly lastContactMs?: number;
  readonly contactFailure?: string;
  readonly pendingResults: number;
  readonly machine?: MachineStatus;
  /** What this node, as a witness, has seen of the server's audit log (docs/audit.md). */
  readonly auditLog?: AuditLogStatus;
  /** The last update of the agent here (docs/updates.md). */
  readonly update?: UpdateStatus;
}

export interface UpdateStatus {
  /** The version that the update leads to. */
  readonly version: string;
  readonly phase: UpdateStatePhase;
  /** Since when it is in this phase. */
  readonly atMs: number;
  /** How often the version was started on trial. */
  readonly trials: number;
  /** The version before it. */
  readonly from?: string;
  /** Why it failed, came back or waits. */
  readonly code?: string;
  readonly message?: string;
  /** Of the code, when the update was given up. */
  readonly remedy?: string;
  /** While on trial: so many check-ins are needed within that time. */
  readonly trialCheckIns?: number;
  readonly trialDurationMs?: number;
}

export interface AuditLogStatus {
  /** Of the newest checkpoint that continued all before it. */
  readonly entries: number;
  readonly seenAtMs: number;
  /** Pairs of contradicting checkpoints in audit-evidence.json. */
  readonly contradictions: number;
  /** The server's log contradicts what this node has seen; its checkpoints are refused. */
  readonly conflict?: {
    readonly code: string;
    readonly sinceMs: number;
    readonly offeredEntries: number;
  };
  /** The last restore of the log that an administrator acknowledged. */
  readonly restored?: {
    readonly by: string;
    readonly reason: string;
    readonly acceptedAtMs: number;
  };
}

/** The process, when one runs. */
export interface AgentStatus extends Partial<LiveSchedule> {
  readonly running: boolean;
  readonly pid?: number;
  readonly version?: string;
  readonly uptimeMs?: number;
  readonly rssBytes?: number;
}

export interface PolicyStatus {
  readonly version: number;
  /** 0 = never. */
  readonly expiresAtMs: number;
  readonly expired: boolean;
  readonly root?: string;
  readonly issuedAtMs?: number;
  readonly resources?: number;
  /** Hash of the pinned public key, "sha256:<hex>". */
  readonly signer?: string;
}

export interface RunStatus {
  readonly runId: string;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly state: PassState;
  readonly dryRun: boolean;
  readonly offline: boolean;
  readonly policyVersion: number;
  readonly summary: PassSummary;
  /** Empty when the scope is limited. */
  readonly resources: readonly ResourceStatus[];
}

export interface ResourceStatus {
  /** "module/resource". */
  readonly id: string;
  readonly type: string;
  readonly action: Action;
  readonly reason: string;
  readonly errorCode: string;
  /** Of the error code; absent without one. */
  readonly remedy?: string;
  readonly lastChange?: ChangeStatus;
}

export interface ChangeStatus {
  readonly atMs: number;
  readonly action: Action;
  readonly reason: string;
  readonly cause: ChangeCause;
  readonly policyVersion: number;
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** From the traits that the server was told last. */
export interface MachineStatus {
  readonly hostname?: string;
  readonly os?: string;
  readonly kernel?: string;
  readonly processors?: number;
  readonly memoryBytes?: number;
  readonly collectedAtMs: number;
}
