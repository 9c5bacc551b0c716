/** Values of a span's attributes; a list is rare, and none is nested. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One piece of work with its place in a trace (https://www.w3.org/TR/trace-context/). */
export interface SpanRecord {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  /** Absent: the trace begins here. */
  readonly parentSpanId?: string;
  /** Few different ones: a route, a method, a kind of message; never a name or an id. */
  readonly name: string;
  /** server: it answers somebody outside; internal: a step of that. */
  readonly kind: 'server' | 'internal';
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: SpanAttributes;
  /** It failed, with this stable code. */
  readonly failure?: string;
}

/** Spans that a thread finished. */
export interface SpanBatch {
  readonly spans: readonly SpanRecord[];
  /** Spans that this thread had no room for since the last batch. */
  readonly dropped: number;
}

/** The control message (`ThreadSystem.request`) that carries a SpanBatch to the web thread. */
export const spansControl = 'tracing.spans';
