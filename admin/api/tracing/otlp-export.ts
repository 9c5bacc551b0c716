/** Loaded only where server.yaml names a collector: the library costs memory and start-up time. */
import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { SpanRecord } from '../../../actors/tracing/messages.ts';
import type { ExportSpans } from './export-queue.ts';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];
type Shared = Pick<ReadableSpan, 'resource' | 'instrumentationScope'>;

export interface OtlpSettings {
  /** Absolute URL; its path is /v1/traces when it has none. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM. */
  readonly authority: string | undefined;
  readonly timeoutMs: number;
  /** What every span says of this server. */
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
}

/** OTLP over HTTP in its JSON form (https://opentelemetry.io/docs/specs/otlp/). */
export function otlpExport(settings: OtlpSettings): ExportSpans {
  const { headers, authority, timeoutMs, version } = settings;
  const exporter = new OTLPTraceExporter({
    url: tracesUrl(settings.endpoint),
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    concurrencyLimit: 1,
    httpAgentOptions: { keepAlive: true, ...(authority === undefined ? {} : { ca: authority }) },
  });
  const shared = {
    resource: defaultResource().merge(resourceFromAttributes(settings.resource)),
    instrumentationScope: { name: 'vigosrv', version },
  };
  return (spans) =>
    new Promise((resolve, reject) => {
      const readable = spans.map((span) => readableSpan(span, shared));
      exporter.export(readable, ({ code, error }) => {
        // ExportResultCode.SUCCESS of a package that is nobody's direct dependency.
        if (code === 0) resolve();
        else reject(error ?? new Error('no reason given'));
      });
    });
}

/** The collector's base address, as its documentation gives it, or the whole one. */
export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

function readableSpan(span: SpanRecord, shared: Shared): ReadableSpan {
  const { traceId, spanId, parentSpanId, startMs, durationMs, failure } = span;
  const context = { traceId, traceFlags: TraceFlags.SAMPLED };
  const parent = parentSpanId === undefined ? {} : { spanId: parentSpanId };
  return {
    ...shared,
    name: span.name,
    kind: span.kind === 'server' ? SpanKind.SERVER : SpanKind.INTERNAL,
    spanContext: () => ({ ...context, spanId }),
    ...(parent.spanId === undefined
      ? {}
      : {
          parentSpanContext: {
            ...context,
            spanId: parent.spanId,
            isRemote: span.kind === 'server',
          },
        }),
    startTime: hrTime(startMs),
    endTime: hrTime(startMs + durationMs),
    duration: hrTime(durationMs),
    status: { code: failure === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR },
    attributes:
      failure === undefined ? span.attributes : { ...span.attributes, 'error.type': failure },
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.trunc(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
