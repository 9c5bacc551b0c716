import { randomBytes } from 'node:crypto';

const traceparentPattern = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id of a W3C traceparent header, or undefined when it is absent or malformed. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const id = traceparent && traceparentPattern.exec(traceparent)?.[1];
  return id && !/^0+$/.test(id) ? id : undefined;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}
