import {
  childTrace,
  formatTraceparent,
  makeTrace,
  parseTraceparent,
  type TraceContext,
} from '../../agent/protocol/traceparent.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { SpanAttributes, SpanRecord } from './messages.ts';

/** How a piece of work ended. */
export interface SpanEnd {
  /** When it is known only now. */
  readonly name?: string;
  readonly attributes?: SpanAttributes;
  /** A stable code. */
  readonly failure?: string;
}

/** A span that has begun. */
export interface OpenSpan {
  /** For those whom this work asks. */
  readonly traceparent: string;
  end(how?: SpanEnd): void;
}

type SpanStart = Pick<SpanRecord, 'name' | 'kind' | 'attributes'>;

/** Times what one thread does, as parts of traces that came with requests. */
export class Tracer {
  readonly #ports: Pick<Ports, 'clock' | 'random'>;
  readonly #add: (span: SpanRecord) => void;

  constructor(ports: Pick<Ports, 'clock' | 'random'>, add: (span: SpanRecord) => void) {
    this.#ports = ports;
    this.#add = add;
  }

  /**
   * The parent's trace goes on here, or one begins. Undefined when the parent says that it is not
   * recorded, or when what came is no trace context.
   */
  begin(traceparent: string | undefined, start: SpanStart): OpenSpan | undefined {
    if (traceparent === undefined) return this.#open(makeTrace(this.#random), undefined, start);
    const parent = parseTraceparent(traceparent);
    if (!parent?.sampled) return undefined;
    return this.#open(childTrace(parent, this.#random), parent.spanId, start);
  }

  readonly #random = (length: number): Uint8Array => this.#ports.random.bytes(length);

  #open(own: TraceContext, parentSpanId: string | undefined, start: SpanStart): OpenSpan {
    const { clock } = this.#ports;
    const startMs = clock.nowMs();
    const beginMs = clock.monotonicMs();
    return {
      traceparent: formatTraceparent(own),
      end: ({ name, attributes, failure } = {}) =>
        this.#add({
          name: name ?? start.name,
          kind: start.kind,
          traceId: own.traceId,
          spanId: own.spanId,
          ...(parentSpanId === undefined ? {} : { parentSpanId }),
          startMs,
          durationMs: clock.monotonicMs() - beginMs,
          attributes: { ...start.attributes, ...attributes },
          ...(failure === undefined ? {} : { failure }),
        }),
    };
  }
}
