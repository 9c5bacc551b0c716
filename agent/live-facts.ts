import type { LastRun } from './offline/run-state.ts';

/** Where a daemon is in its round. Times are from the moment of the answer. */
export interface LiveSchedule {
  readonly phase: 'waiting' | 'check-in' | 'pass';
  readonly intervalMs: number;
  readonly nextPassInMs: number;
  readonly nextCheckInInMs: number;
}

export interface LivePolicyFacts {
  readonly policyVersion: number | undefined;
  /** 0 = never. */
  readonly policyExpiresAtMs: number | undefined;
  readonly lastContactMs: number | undefined;
  readonly contactFailure: string | undefined;
  readonly lastRun: (Omit<LastRun, 'resources'> & { readonly resources: undefined }) | undefined;
  readonly pendingResults: number;
}

/**
 * What a running agent tells any user of its machine who asks. It names no resource and shows no
 * content: those are in the state files, which only root reads.
 */
export interface LiveFacts extends LivePolicyFacts, Partial<LiveSchedule> {
  readonly version: string;
  readonly envoyId: string;
  /** "host:port". */
  readonly server: string;
  readonly uptimeMs: number;
}

/** The answer as it arrives: from another process, perhaps of another version. */
export interface RunningAgent {
  readonly pid: number | undefined;
  readonly facts: Partial<LiveFacts>;
}
