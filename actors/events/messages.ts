/** What stands in the database now and people may want to know at once; flat, short, no secrets. */
export interface LiveEvent {
  /** Dotted: one of `fleetEventTypes`, or the type of an audit event. */
  readonly type: string;
  readonly atMs: number;
  /** The envoy that it is about, when it is about one. */
  readonly envoyId?: string;
  /** Who caused it, as in the audit log: "admin:<name>", "envoy:<uuid>", "server". */
  readonly actor?: string;
  readonly subject?: string;
  /** The sequence of the audit entry that tells of it. */
  readonly auditSequence?: number;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

/** Types of live events that stand in no audit log. */
export const fleetEventTypes = {
  'envoy.state': 'The state of an envoy changed: data.from, data.to, data.hostname.',
  'run.finished': 'A run was stored: data.runId, data.hostname, data.state and its counts.',
  'envoys.many': 'More happened at once than is told one by one: data.states, data.runs.',
  'server.figures': 'Figures of the server, every few seconds while somebody listens.',
  'server.alarm': 'Something of the server needs a person: data.code, data.raised.',
} as const;

export type FleetEventType = keyof typeof fleetEventTypes;

/**
 * What the service thread tells the web thread after a write. `number` rises by one within a source:
 * a hole means that events were lost, and another source that its thread was replaced.
 */
export interface LiveBatch {
  readonly source: string;
  readonly number: number;
  readonly events: readonly LiveEvent[];
}

/** The control message (`ThreadSystem.request`) that carries a LiveBatch to the web thread. */
export const liveEventsControl = 'events.live';
