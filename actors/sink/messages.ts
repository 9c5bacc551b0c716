import type { Address } from '../../runtime/actor.ts';
import type { AdminTokenRecord } from '../access/messages.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AccountWrite } from './account-records.ts';
import type { FederationWrite } from './federation-records.ts';
import type { FleetMinute } from './fleet-history.ts';
import type { MaintenanceView } from './fleet-views.ts';
import type { PlanRecord } from './plan-records.ts';
import type { PolicyVersionRecord } from './policy-versions.ts';
import type { SavedViewRecord } from './saved-views.ts';

/** The only writer of SQL. One actor, in the service pool. */
export type SinkMessages = {
  /** All records and audit events in one SQL transaction; replies when it is on disk. */
  write: {
    payload: { records: SinkRecord[]; audit: AuditEvent[] };
    reply: { auditSequence: number };
  };
  /** A shard's outbox has entries; the sink drains it in its own time. */
  outboxReady: { payload: { origin: string }; reply: undefined };
  /** Everything that the disposable state is rebuilt from. */
  exportIdentities: {
    payload: { after: string; limit: number };
    reply: { identities: EnvoyIdentity[]; done: boolean };
  };
  findToken: { payload: { id: string }; reply: TokenRecord | undefined };
  /** When envoys were last seen of which nothing changed; at most `lastSeenPerMessage`. May be lost. */
  lastSeen: { payload: { seen: readonly EnvoySeen[] }; reply: undefined };
};

export const lastSeenPerMessage = 1_000;

export interface EnvoyIdentity {
  readonly envoyId: string;
  readonly hostname: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly revoked: boolean;
  readonly enrolledAtMs: number;
  /** Highest report sequence that SQL holds. */
  readonly settledReportSequence: number;
}

export interface TokenRecord {
  readonly id: string;
  /** bcrypt of the secret part. */
  readonly hash: string;
  readonly match: readonly string[];
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | undefined;
  readonly usedBy: string | undefined;
  readonly revokedAtMs: number | undefined;
}

export type SinkRecord =
  | PlanRecord
  | AccountWrite
  | FederationWrite
  | { readonly record: 'token'; readonly token: TokenRecord }
  | {
      readonly record: 'tokenUsed';
      readonly id: string;
      readonly envoyId: string;
      readonly atMs: number;
    }
  | { readonly record: 'tokenRevoked'; readonly id: string; readonly atMs: number }
  | { readonly record: 'adminToken'; readonly token: AdminTokenRecord }
  | { readonly record: 'adminTokenRevoked'; readonly id: string; readonly atMs: number }
  | { readonly record: 'adminTokenUsed'; readonly id: string; readonly atMs: number }
  | {
      readonly record: 'envoy';
      readonly identity: EnvoyIdentity;
      readonly agentVersion: string;
      readonly certificateSerial: string;
      readonly certificateIssuedMs: number;
      readonly certificateEndsMs: number;
    }
  | {
      /** The same envoy with another certificate, as a rule of another key. */
      readonly record: 'envoyRenewed';
      readonly envoyId: string;
      readonly hostname: string;
      readonly publicKey: Uint8Array;
      readonly agentVersion: string;
      readonly certificateSerial: string;
      readonly certificateIssuedMs: number;
      readonly certificateEndsMs: number;
    }
  | {
      readonly record: 'envoyRevoked';
      readonly envoyId: string;
      readonly reason: string;
      readonly atMs: number;
    }
  | {
      /** Undefined ends the maintenance. */
      readonly record: 'envoyMaintenance';
      readonly envoyId: string;
      readonly maintenance: MaintenanceView | undefined;
    }
  | FleetMinute
  | SavedViewRecord
  | PolicyVersionRecord;

/** An envoy as a shard last saw it. */
export interface EnvoySeen {
  readonly envoyId: string;
  readonly lastSeenMs: number;
  /** Of an EnvoyState (actors/envoy/states.ts). */
  readonly state: number;
  /** Absent in events of older releases. */
  readonly driftRuns?: number;
  readonly policyVersion: number;
  readonly agentVersion: string;
}

/** What shards put into their outbox for the sink; `type` of the OutboxEvent is the key. */
export type FleetEvents = {
  /** The encoded ReportRequest as it came, signature verified. */
  'run.reported': { envoyId: string; report: Uint8Array; receivedAtMs: number };
  'traits.reported': { envoyId: string; hash: Uint8Array; traitsJson: Uint8Array };
  /** On every change of state or version; `lastSeen` tells of the others. */
  'envoy.seen': EnvoySeen;
  /** An envoy that has not been heard of for too long; `lastSeenMs` 0 = this server does not know. */
  'envoy.silent': { envoyId: string; lastSeenMs: number };
  /** What an envoy said of its update; `phase` is an UpdatePhase. */
  'update.reported': {
    envoyId: string;
    version: string;
    phase: number;
    code: string;
    message: string;
    atMs: number;
  };
  audit: AuditEvent;
};

export function sinkAddress(): Address<SinkMessages> {
  return { kind: 'sink', key: 'main' };
}
