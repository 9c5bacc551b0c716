import type { GuardLayout } from '../../agent/policy/guardrails.ts';
import type { Sha256 } from '../../agent/protocol/crypto.ts';
import type { Turn } from '../../runtime/actor.ts';
import type { UrlProbe } from '../../runtime/ports/url-probe.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditEventTypeName } from '../audit/event-types.ts';
import { newAuditEvent } from '../audit/new-event.ts';
import type { EnvoyRecord } from '../envoy/record.ts';
import type { PolicyTables } from '../policy/tables.ts';
import type { RolloutSettings } from '../rollout/messages.ts';
import type { SecretCheck } from '../secrets/check-stack.ts';
import type { FreezeWindow } from './freeze.ts';
import type { PolicyCache, PolicyTools } from './policy.ts';
import { StackCopies } from './stack-copies.ts';
import type { PublishState } from './state.ts';
import { StateFile } from './state-file.ts';

/** Of server.yaml's `publish` section. */
export interface PublishSettings {
  readonly approvalRequired: boolean;
  readonly candidateExpiryMs: number;
  readonly freezeWindows: readonly FreezeWindow[];
  readonly rollout: RolloutSettings;
}

export interface PublishOptions {
  readonly stackDirectory: string;
  readonly liveDirectory: string;
  readonly tables: PolicyTables;
  readonly crypto: Sha256;
  readonly layout: GuardLayout;
  readonly settings: PublishSettings;
  readonly checkSecrets?: SecretCheck;
  /** Asked about the URLs of stacks that are to be published. */
  readonly urls?: UrlProbe;
  /** The highest version, up to `most`, that an envoy has told of; absent: nobody is asked. */
  readonly reportedVersion?: (most: number) => Promise<number>;
  /** The newest hot record of an envoy in any shard's store. */
  readonly record: (envoyId: string) => EnvoyRecord | undefined;
  /** Between two check-ins, milliseconds. */
  readonly intervalMs: number;
}

export interface PublishMemory {
  /** As it was last read or written; nobody else writes it. */
  known: PublishState | undefined;
  /** What the database has acknowledged of the state file's `unsent`: the id of its last event. */
  flushed: string | undefined;
  /** Group of a host name, by generation. */
  readonly matchers: Map<number, (hostname: string) => string>;
}

export type PublishTurn = Turn<PublishMemory>;

/** What a handler works with: the options, its turn, and the doors to the disk. */
export interface PublishContext {
  readonly options: PublishOptions;
  readonly turn: PublishTurn;
  readonly file: StateFile;
  readonly copies: StackCopies;
  readonly tools: PolicyTools;
  /** For a stack that is not in force yet. */
  readonly strictTools: PolicyTools;
  readonly nowMs: number;
}

export function publishContext(
  options: PublishOptions,
  turn: PublishTurn,
  cache: PolicyCache,
): PublishContext {
  const { ports } = turn;
  const { liveDirectory, crypto, layout, checkSecrets, urls: probe } = options;
  const tools = { ports, crypto, layout, cache };
  return {
    options,
    turn,
    file: new StateFile(ports.disk, liveDirectory),
    copies: new StackCopies(ports.disk, liveDirectory, crypto),
    tools,
    strictTools: {
      ...tools,
      ...(checkSecrets === undefined ? {} : { checkSecrets }),
      ...(probe === undefined ? {} : { urls: { probe, clock: ports.clock } }),
    },
    nowMs: ports.clock.nowMs(),
  };
}

export function auditEvent(
  { turn }: PublishContext,
  type: AuditEventTypeName,
  by: string,
  details: AuditEvent['details'],
): AuditEvent {
  return newAuditEvent(turn, type, by, type.split('.')[0] ?? 'policy', details);
}

/** Everything is checked but what would need the network. */
export function offlineTools({ urls: _, ...tools }: PolicyTools): PolicyTools {
  return tools;
}
