import type { StoreUsage } from '../../runtime/lmdb-store.ts';
import type { ThreadFigures } from './thread-figures.ts';

/** What a running server says about itself, for people, the REST API and vigobench. */
export interface ServerStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly nowMs: number;
  readonly grpcPort: number;
  readonly apiPort: number;
  readonly process: {
    /** Kilobytes. */
    readonly rssKb: number;
    /** All threads since the start, microseconds of user and system time. */
    readonly cpuUs: number;
  };
  readonly shards: readonly ShardStatus[];
  readonly sink: SinkStatus | undefined;
  readonly service: ThreadStatus | undefined;
  readonly policyVersion: number;
  readonly totals: EndpointCounters & { readonly sqlStatementsOnPath: number };
}

export interface EndpointCounters {
  readonly connections: number;
  readonly checkIns: number;
  readonly reports: number;
  readonly traits: number;
  readonly registrations: number;
  /** Code -> count; connections that were cut off stand under their audit code. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** What every thread with a store says. */
export interface ThreadStatus {
  readonly figures: ThreadFigures;
  readonly store: StoreUsage;
}

export interface ShardStatus extends EndpointCounters, ThreadStatus {
  readonly thread: string;
  /** Messages that found a full mailbox or no room. */
  readonly mailboxRefusals: number;
  /** SQL statements run on this thread: none, because no driver can be loaded there. */
  readonly sqlStatements: number;
  /** A SQL driver stands among the modules or native libraries of this thread. */
  readonly sqlDriverLoaded: boolean;
  /** Events that wait for the sink. */
  readonly outboxEntries: number;
}

export interface SinkStatus {
  readonly waitingEvents: number;
  /** Age of the oldest waiting event, milliseconds. */
  readonly lagMs: number;
}
