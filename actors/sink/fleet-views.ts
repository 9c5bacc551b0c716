import type { EnvoyState } from '../envoy/states.ts';
import type { AgentVersionCount } from './agent-versions.ts';
import type { EnvoyUpdateView } from './envoy-update-view.ts';
import type { RunView } from './query-rows.ts';

/** Times are milliseconds since 1970 by the server's clock, unless a field says otherwise. */

/** A row of the envoy list. */
export interface EnvoyView {
  readonly id: string;
  readonly hostname: string;
  /** An EnvoyState, or "revoked". */
  readonly state: EnvoyState | 'revoked';
  /** Since when it is in this state; absent before the first transition. */
  readonly stateSinceMs: number | undefined;
  readonly lastSeenMs: number | undefined;
  readonly policyVersion: number | undefined;
  readonly agentVersion: string;
  /** Of the traits, "debian 13"; '' when they are not known. */
  readonly os: string;
  /** What the envoy last said of an update of its agent. */
  readonly update: EnvoyUpdateView | undefined;
  readonly maintenance: MaintenanceView | undefined;
  readonly enrolledAtMs: number;
  /** Of its client certificate; absent when that is older than this was kept. */
  readonly certificateEndsMs: number | undefined;
  readonly revoked: boolean;
}

/** Somebody works on the machine: it converges as ever, and raises no alarm. */
export interface MaintenanceView {
  readonly sinceMs: number;
  readonly reason: string;
  /** "admin:<name>". */
  readonly by: string;
}

/** Envoys by state, every state named; nobody is counted twice. */
export type StateCounts = Readonly<Record<EnvoyState | 'revoked', number>>;

export interface EnvoyPage {
  readonly items: readonly EnvoyView[];
  /** Cursor of the following page; absent on the last. */
  readonly next: string | undefined;
  /** Envoys that the selector and the state choose, on all pages. */
  readonly total: number;
  /** Of the envoys that the selector chooses, whatever state is asked for. */
  readonly counts: StateCounts;
}

/** The page of one envoy. */
export interface EnvoyDetailView extends EnvoyView {
  readonly revokedAtMs: number | undefined;
  readonly revokedReason: string | undefined;
  /** Hex. */
  readonly certificateSerial: string;
  readonly traitsReceivedMs: number | undefined;
  /** The last ten, newest first. */
  readonly runs: readonly RunView[];
  /** The last ten, newest first. */
  readonly history: readonly TransitionView[];
}

/** One change of an envoy's state. */
export interface TransitionView {
  readonly atMs: number;
  readonly from: EnvoyState;
  readonly to: EnvoyState;
  /** Why: "2 runs in a row had to make changes". */
  readonly reason: string;
  /** How long it had been in `from`; absent for the first. */
  readonly afterMs: number | undefined;
}

/** GET /api/v1/envoys/{id}/traits */
export interface TraitsView {
  readonly envoyId: string;
  readonly hostname: string;
  readonly receivedAtMs: number;
  /** Hex; the first 16 bytes of the document's SHA-256. */
  readonly hash: string;
  /** The traits document: objects, arrays, texts, numbers, booleans. */
  readonly traits: Readonly<Record<string, unknown>>;
}

/** The present state of one resource, as the envoy's reports tell it. */
export interface ResourceView {
  /** "module/resource". */
  readonly id: string;
  readonly type: string;
  /** What the last run that told of it did: none, created, updated, deleted, skipped, blocked, failed. */
  readonly action: string;
  readonly reason: string;
  readonly errorCode: string;
  /** The run in which it was told. */
  readonly runId: string;
  readonly runStartedAtMs: number;
  /** When it was last created, updated or deleted, as far as runs are kept. */
  readonly changedAtMs: number | undefined;
}

export interface ResourcesView {
  readonly items: readonly ResourceView[];
  /** Of the last run; resources that never acted stand only here. */
  readonly total: number;
  readonly unchanged: number;
  /** Undefined before the first run. */
  readonly lastRun: RunView | undefined;
}

/** GET /api/v1/fleet/overview */
export interface FleetOverview {
  readonly atMs: number;
  readonly envoys: FleetNow;
  readonly series: FleetSeries;
  readonly versions: {
    /** Most envoys first; version 0 = none yet. */
    readonly policy: readonly { readonly version: number; readonly envoys: number }[];
    readonly agent: readonly AgentVersionCount[];
    /** 0 = nothing was published. */
    readonly livePolicy: number;
  };
  readonly today: FleetToday;
  /** Most urgent first; empty when nobody is needed. */
  readonly attention: readonly AttentionView[];
}

export interface FleetNow {
  /** Not revoked. */
  readonly active: number;
  readonly counts: StateCounts;
  /** Of the active ones. */
  readonly inMaintenance: number;
  /** Converged ones among the active ones, 0 to 100; absent without active ones. */
  readonly convergedPercent: number | undefined;
}

export type FleetWindow = '24h' | '7d';

/** Columns of equal length, oldest first; null where nothing was recorded. */
export interface FleetSeries {
  readonly window: FleetWindow;
  readonly stepMs: number;
  /** The beginning of each step. */
  readonly atMs: readonly number[];
  /** Envoys by state at the end of each step. */
  readonly states: Readonly<Record<EnvoyState, readonly (number | null)[]>>;
  readonly checkInsPerSecond: readonly (number | null)[];
  readonly reportsPerSecond: readonly (number | null)[];
  /** How long the server took for a check-in, milliseconds. */
  readonly latencyP50Ms: readonly (number | null)[];
  readonly latencyP99Ms: readonly (number | null)[];
}

/** Since midnight, UTC. */
export interface FleetToday {
  readonly sinceMs: number;
  readonly runs: number;
  /** Runs that changed something; those that adopted a policy count here too. */
  readonly runsWithChanges: number;
  readonly runsFailed: number;
  readonly resourcesChanged: number;
  readonly transitions: number;
  readonly published: number;
  readonly enrolled: number;
  readonly revoked: number;
}

export const attentionKinds = [
  'failed',
  'diverged',
  'offline',
  'degraded',
  'approval',
  'rollout',
  'freeze',
  'certificate',
  'token',
  'api-token',
  'envoy-certificate',
] as const;

export type AttentionKind = (typeof attentionKinds)[number];

/** Something that a person has to look at. Envoys in maintenance are left out. */
export interface AttentionView {
  readonly kind: AttentionKind;
  readonly severity: 'critical' | 'warning' | 'info';
  /** One line for people. */
  readonly text: string;
  /** How many envoys, candidates, certificates. */
  readonly count: number;
  /** Since when, for the one that has waited longest. */
  readonly sinceMs: number | undefined;
  /** The query of GET /api/v1/envoys that shows them; absent for what is no envoy. */
  readonly state: EnvoyState | undefined;
  /** Some of them, at most five. */
  readonly examples: readonly { readonly id: string; readonly name: string }[];
}

/** A list that somebody wants to come back to. */
export interface SavedView {
  readonly name: string;
  /** What GET /api/v1/envoys takes. */
  readonly query: {
    readonly selector?: string;
    readonly state?: string;
    readonly sort?: string;
    readonly order?: 'asc' | 'desc';
  };
  readonly changedAtMs: number;
}

/** An API token that ends soon, or has ended some days ago; not one that was revoked. */
export interface EndingApiToken {
  readonly id: string;
  readonly name: string;
  /** Whose it is; null: of a program. */
  readonly accountId: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastUsedMs: number | null;
}

/** An enrollment token that ends within a day, and was not used. */
export interface EndingEnrollmentToken {
  readonly id: string;
  readonly match: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface EndingTokens {
  /** The one that ends first is first. */
  readonly api: readonly EndingApiToken[];
  readonly enrollment: readonly EndingEnrollmentToken[];
}

/** Envoys with one trouble: how many, when the first certificate ends or ended, and some of them. */
export interface CertificateGroup {
  readonly count: number;
  /** Absent when there is none. */
  readonly firstEndsMs: number | undefined;
  /** The one that ends first is first. */
  readonly examples: readonly { readonly id: string; readonly name: string }[];
}

/** Client certificates that nobody renewed; an agent does not renew its own. */
export interface EndingCertificates {
  /** They are over, and the envoys came to the last. */
  readonly ended: CertificateGroup;
  /** In the last part of their lives. */
  readonly ending: CertificateGroup;
}
