import type { OpenSpan, Tracer } from '../../../actors/tracing/tracer.ts';
import type { EdgeRequest } from '../http-edge.ts';

/** What is fetched all the time and tells nobody anything: files of the pages, and who watches the server. */
const untold = /^\/(assets|docs\/assets|metrics|healthz)(\/|$)/;
/** Of a path and of what a client calls itself. */
const textMax = 256;

const known: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** A request being answered. */
export interface RequestSpan {
  /** For the actors that are asked. */
  readonly traceparent: string;
  /** `route`: as the table has it. `code`: of a refusal. */
  end(route: string, status: number, code?: string): void;
}

/** Spans of the web thread's own requests, in the words of OpenTelemetry's conventions for HTTP. */
export class RequestSpans {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** `traceparent`: the caller's; undefined when it sent none. */
  begin(request: EdgeRequest, traceparent: string | undefined): RequestSpan | undefined {
    if (untold.test(request.path)) return undefined;
    const method = known.has(request.method) ? request.method : '_OTHER';
    const agent = request.header('user-agent');
    const attributes = {
      'http.request.method': method,
      'url.scheme': 'https',
      'url.path': request.path.slice(0, textMax),
      ...(agent === undefined ? {} : { 'user_agent.original': agent.slice(0, textMax) }),
    };
    const span = this.#tracer.begin(traceparent, { name: method, kind: 'server', attributes });
    return span && requestSpan(span, method);
  }
}

function requestSpan(span: OpenSpan, method: string): RequestSpan {
  return {
    traceparent: span.traceparent,
    end: (route, status, code) => {
      const isKnown = route !== 'none';
      span.end({
        ...(isKnown ? { name: `${method} ${route}` } : {}),
        attributes: {
          ...(isKnown ? { 'http.route': route } : {}),
          'http.response.status_code': status,
          ...(code === undefined ? {} : { 'vigo.error.code': code }),
        },
        ...(status < 500 ? {} : { failure: code ?? String(status) }),
      });
    },
  };
}
