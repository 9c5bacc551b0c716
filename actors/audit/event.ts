/** A fact that the audit log keeps. */
export interface AuditEvent {
  /** Makes a repeated delivery harmless. */
  readonly id: string;
  readonly atMs: number;
  /** Dotted, from the list in actors/audit/event-types.ts: "enrollment.accepted", "request.replayed", ... */
  readonly type: string;
  /** Who caused it: "admin:<name>", "envoy:<uuid>", "peer:<address>", "server". */
  readonly actor: string;
  /** What it was done to. */
  readonly subject: string;
  /** Flat, short, without secrets. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
  readonly traceparent?: string;
}
