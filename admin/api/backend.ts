import type { AdminTokenRecord, AdminTokenView } from '../../actors/access/messages.ts';
import type { AccountView, SessionView } from '../../actors/accounts/messages.ts';
import type { CheckpointView, ConsistencyView, InclusionView } from '../../actors/audit/view.ts';
import type { AccountKeyRecord, IdentityRecord } from '../../actors/federation/messages.ts';
import type { FidelityView, PlanListItem, PlanView } from '../../actors/plan/view.ts';
import type { ServerStatus } from '../../actors/server/status.ts';
import type { AgentVersionCount } from '../../actors/sink/agent-versions.ts';
import type { EnvoyPage, EnvoyView } from '../../actors/sink/fleet-views.ts';
import type { AuditFilter, EnvoyFilter, Page, RunFilter } from '../../actors/sink/queries.ts';
import type {
  AuditView,
  PolicyVersionView,
  RunDetailView,
  RunView,
  TokenView,
} from '../../actors/sink/query-rows.ts';
import type { Address, MessageMap } from '../../runtime/actor.ts';
import type { BackupFiles } from './backup-files.ts';
import type { FleetViews } from './fleet-views.ts';
import type { InstallSource } from './install/source.ts';
import type { EventHub } from './live/hub.ts';
import type { LoginServices } from './login/services.ts';
import type { Tracing } from './tracing/tracing.ts';

export type { CheckpointView, ConsistencyView, InclusionView } from '../../actors/audit/view.ts';
export type { AgentVersionCount } from '../../actors/sink/agent-versions.ts';
export type { EnvoyPage, EnvoyView } from '../../actors/sink/fleet-views.ts';
export type { Page } from '../../actors/sink/queries.ts';
export type {
  AuditView,
  PolicyVersionView,
  RunDetailView,
  RunResultView,
  RunView,
  TokenView,
} from '../../actors/sink/query-rows.ts';
export type { InstallCommands } from './install/command.ts';

/**
 * What the routes need of the rest of the server: actors to ask, and read-only views. The web thread
 * fills it with the actor system, SQL queries and the status collector; tests with objects.
 */
export interface Backend {
  ask<M extends MessageMap, T extends keyof M & string>(
    to: Address<M>,
    type: T,
    payload: M[T]['payload'],
    deadlineMs: number,
    /** Of the request on whose behalf it is asked; the audit log keeps it. */
    traceparent?: string,
  ): Promise<M[T]['reply']>;
  readonly views: Views;
  readonly install: InstallSource;
  readonly backups: BackupFiles;
  readonly login: LoginServices;
  /** What happens, for those who watch. */
  readonly live: EventHub;
  /** Undefined where server.yaml names no collector. */
  readonly tracing?: Tracing | undefined;
  /** For Prometheus: the text of all metrics. */
  metrics(): Promise<string>;
  /** Wall clock, milliseconds. */
  nowMs(): number;
  log(level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>): void;
}

export interface Views {
  status(): Promise<StatusView>;
  tokens(): readonly TokenView[];
  adminTokens(): readonly AdminTokenView[];
  adminToken(tokenSha256: string): AdminTokenRecord | undefined;
  readonly accounts: AccountViews;
  readonly federation: FederationViews;
  envoys(filter: EnvoyFilter): EnvoyPage;
  readonly fleet: FleetViews;
  /** By UUID or by host name; several rows when a host name is not unique. */
  findEnvoys(nameOrId: string): readonly EnvoyView[];
  /** Which versions of the agent the fleet runs, most envoys first. */
  agentVersions(): readonly AgentVersionCount[];
  /** The envoy's traits document, JSON. */
  traits(envoyId: string): string | undefined;
  runs(filter: RunFilter): Page<RunView>;
  run(runId: string): RunDetailView | undefined;
  /** Ids that begin with these characters, at most `limit`. */
  runIds(prefix: string, limit: number): readonly string[];
  policyHistory(limit: number): readonly PolicyVersionView[];
  policyVersion(version: number): PolicyVersionView | undefined;
  readonly plans: PlanViews;
  audit(filter: AuditFilter): Page<AuditView>;
  readonly auditTree: AuditTreeViews;
}

/** People and their sessions, without what proves them. */
export interface AccountViews {
  /** By name. */
  list(): readonly AccountView[];
  find(nameOrId: string): AccountView | undefined;
  /** Whether there was ever one: false until the first-run setup. */
  any(): boolean;
  /** Newest first, ended ones too. */
  sessions(accountId: string): readonly SessionView[];
}

/** What proves accounts besides passwords. */
export interface FederationViews {
  keys(accountId: string): readonly AccountKeyRecord[];
  identities(accountId: string): readonly IdentityRecord[];
  identity(issuer: string, subject: string): IdentityRecord | undefined;
}

/** Checkpoints and proofs; they throw AUDIT_* codes. */
export interface AuditTreeViews {
  /** The newest one, or that of a size. */
  checkpoint(size: number | undefined): CheckpointView;
  inclusion(sequence: number, size: number | undefined): InclusionView;
  consistency(from: number, to: number): ConsistencyView;
}

/** Plans by whole ids. */
export interface PlanViews {
  /** Newest first. */
  list(limit: number): readonly PlanListItem[];
  /** Ids that begin with these characters, at most two. */
  ids(prefix: string): readonly string[];
  /** The newest plan whose outcome was compared. */
  lastCompared(): string | undefined;
  plan(id: string): PlanView | undefined;
  fidelity(id: string): FidelityView | undefined;
}

/** What GET /api/v1/status answers. */
export interface StatusView extends ServerStatus {
  /** Envoys by convergence state. */
  readonly envoys: Readonly<Record<string, number>>;
  readonly databaseBytes: number;
}
