import { randomBytes } from 'node:crypto';
import type { Backend } from './backend.ts';
import type { RequestName } from './http/respond.ts';
import type { RequestHead } from './http-edge.ts';

const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const zeros = /^0+$/;

/** A valid W3C traceparent header; undefined when it is absent or malformed. */
export function traceparentOf({ header }: Pick<RequestHead, 'header'>): string | undefined {
  const given = header('traceparent');
  const [, traceId, spanId] = (given && traceparentPattern.exec(given)) || [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return zeros.test(traceId) || zeros.test(spanId) ? undefined : given;
}

function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

/** For a request that came without one and that nobody records: the audit log names its trace all the same. */
export function newTraceparent(): string {
  return `00-${newTraceId()}-${randomBytes(8).toString('hex')}-00`;
}

const requestIdForm = /^[\w.:-]{1,64}$/;

/** The trace id is that of the traceparent, or new; the request id the client's own, when it is harmless. */
export function nameOf(
  request: Pick<RequestHead, 'header'>,
  traceparent = traceparentOf(request) ?? newTraceparent(),
): RequestName {
  const { header } = request;
  const traceId = traceparent.slice(3, 35);
  const given = header('x-request-id');
  return { traceId, requestId: given && requestIdForm.test(given) ? given : traceId };
}

/** For an answer that belongs to no request that was read. */
export function anonymousName(): RequestName {
  const traceId = newTraceId();
  return { traceId, requestId: traceId };
}

/** The same, asking actors on behalf of this trace. */
export function withTrace(backend: Backend, traceparent: string | undefined): Backend {
  if (traceparent === undefined) return backend;
  return {
    ...backend,
    ask: (to, type, payload, deadlineMs) => backend.ask(to, type, payload, deadlineMs, traceparent),
  };
}
