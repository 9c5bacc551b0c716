import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const hex = (digits: number) => Type.String({ pattern: `^[0-9a-f]{${digits}}$` });
/** 64 bits are text or a number in the JSON form of Protocol Buffers. */
const nanoseconds = Type.String({ pattern: '^[0-9]{10,20}$' });
const value = Type.Union([
  Type.Object({ stringValue: Type.String() }, { additionalProperties: false }),
  Type.Object({ boolValue: Type.Boolean() }, { additionalProperties: false }),
  Type.Object(
    { intValue: Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]+$' })]) },
    { additionalProperties: false },
  ),
  Type.Object({ doubleValue: Type.Number() }, { additionalProperties: false }),
]);
const attributes = Type.Array(
  Type.Object({ key: Type.String({ minLength: 1 }), value }, { additionalProperties: false }),
);
const count = Type.Integer({ minimum: 0 });

const span = Type.Object(
  {
    traceId: hex(32),
    spanId: hex(16),
    traceState: Type.Optional(Type.String()),
    parentSpanId: Type.Optional(hex(16)),
    flags: Type.Optional(count),
    name: Type.String({ minLength: 1 }),
    kind: Type.Integer({ minimum: 1, maximum: 5 }),
    startTimeUnixNano: nanoseconds,
    endTimeUnixNano: nanoseconds,
    attributes,
    droppedAttributesCount: Type.Optional(count),
    events: Type.Optional(Type.Array(Type.Object({}))),
    droppedEventsCount: Type.Optional(count),
    links: Type.Optional(Type.Array(Type.Object({}))),
    droppedLinksCount: Type.Optional(count),
    status: Type.Object(
      { code: Type.Integer({ minimum: 0, maximum: 2 }), message: Type.Optional(Type.String()) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1/trace_service.proto, in JSON. */
const exportRequest = Type.Object(
  {
    resourceSpans: Type.Array(
      Type.Object(
        {
          resource: Type.Object({
            attributes,
            droppedAttributesCount: Type.Optional(count),
          }),
          scopeSpans: Type.Array(
            Type.Object(
              {
                scope: Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) }),
                spans: Type.Array(span),
                schemaUrl: Type.Optional(Type.String()),
              },
              { additionalProperties: false },
            ),
          ),
          schemaUrl: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
type ExportRequest = Type.Static<typeof exportRequest>;
type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** As in the wire's enumeration: 1 internal, 2 server. */
  readonly kind: number;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  /** Wall clock, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
}

/**
 * Stands for an OpenTelemetry collector, which Debian does not have: takes OTLP over HTTP in its JSON
 * form and nothing else, and refuses what does not fit the message, field by field.
 */
export class OtlpJsonReceiverDouble {
  readonly spans: ReceivedSpan[] = [];
  /** What was wrong with what came. */
  readonly faults: string[] = [];
  readonly headers: Record<string, string>[] = [];
  /** As they came. */
  readonly bodies: string[] = [];
  /** What is answered; 200 = the spans are taken. */
  status = 200;
  readonly #server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      this.headers.push(incoming.headers as Record<string, string>);
      const type = incoming.headers['content-type'];
      const at = `${incoming.method} ${incoming.url} ${type}`;
      if (at !== 'POST /v1/traces application/json') this.faults.push(at);
      const text = Buffer.concat(chunks).toString();
      this.bodies.push(text);
      if (this.status === 200) this.#take(text);
      outgoing.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
    });
  });

  /** Resolves with the address for `tracing.endpoint`. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** Resolves when spans like that have come; a minute is enough for a busy machine. */
  async until(isEnough: (spans: readonly ReceivedSpan[]) => boolean): Promise<void> {
    const untilMs = Date.now() + 60_000;
    while (!isEnough(this.spans)) {
      if (Date.now() > untilMs) {
        const names = this.spans.map(({ name }) => name).join('\n');
        throw new Error(`these spans came:\n${names}\n${this.faults.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #take(text: string): void {
    const request: unknown = JSON.parse(text);
    const [fault] = Value.Errors(exportRequest, request);
    if (fault !== undefined) {
      this.faults.push(`${fault.instancePath} ${fault.message}`);
      return;
    }
    for (const { resource, scopeSpans } of (request as ExportRequest).resourceSpans) {
      const shared = plain(resource.attributes);
      for (const each of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          ...each,
          parentSpanId: each.parentSpanId,
          attributes: plain(each.attributes),
          resource: shared,
          startMs: Number(each.startTimeUnixNano) / 1e6,
          endMs: Number(each.endTimeUnixNano) / 1e6,
          status: each.status.code,
        });
      }
    }
  }
}

function plain(list: Type.Static<typeof attributes>): Attributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
