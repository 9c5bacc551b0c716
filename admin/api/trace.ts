import { randomBytes } from 'node:crypto';
import type { RequestName } from './http/respond.ts';
import type { RequestHead } from './http-edge.ts';

const traceparentPattern = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id of a W3C traceparent header, or undefined when it is absent or malformed. */
function traceIdOf(traceparent: string | undefined): string | undefined {
  const id = traceparent && traceparentPattern.exec(traceparent)?.[1];
  return id && !/^0+$/.test(id) ? id : undefined;
}

function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

const requestIdForm = /^[\w.:-]{1,64}$/;

/** The trace id is that of the traceparent header, or new; the request id the client's own, when it is harmless. */
export function nameOf({ header }: Pick<RequestHead, 'header'>): RequestName {
  const traceId = traceIdOf(header('traceparent')) ?? newTraceId();
  const given = header('x-request-id');
  return { traceId, requestId: given && requestIdForm.test(given) ? given : traceId };
}

/** For an answer that belongs to no request that was read. */
export function anonymousName(): RequestName {
  const traceId = newTraceId();
  return { traceId, requestId: traceId };
}
