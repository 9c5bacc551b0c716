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

export interface ShardStatus extends EndpointCounters {
  readonly thread: string;
  /** Messages that found a full mailbox or no room. */
  readonly mailboxRefusals: number;
  /** SQL statements run on this thread: none, because no driver can be loaded there. */
  readonly sqlStatements: number;
  /** A SQL driver stands among the modules or native libraries of this thread. */
  readonly sqlDriverLoaded: boolean;
  /** Milliseconds, over the last period. */
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Events that wait for the sink. */
  readonly outboxEntries: number;
}

export interface SinkStatus {
  readonly waitingEvents: number;
  /** Age of the oldest waiting event, milliseconds. */
  readonly lagMs: number;
}
