import { AdminError, type AdminErrorCode } from '../../errors.ts';
import type { Answer } from '../answer.ts';
import type { EdgeResponse } from '../http-edge.ts';
import { type Problem, problemOf } from '../problem.ts';
import { anonymousName } from '../trace.ts';

/** What every answer has: nothing of it may run, be framed, be guessed at or be kept by a browser. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
} as const;

/** How one request is named: in its answer, in problems and in the log. */
export interface RequestName {
  /** 32 hexadecimal digits; of the traceparent header when there is one. */
  readonly traceId: string;
  /** What the client calls it; its trace id otherwise. */
  readonly requestId: string;
}

function nameHeaders({ traceId, requestId }: RequestName): Record<string, string> {
  return { 'x-trace-id': traceId, 'x-request-id': requestId };
}

export function respond(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: EdgeResponse['body'],
  name: RequestName,
): EdgeResponse {
  return { status, headers: { ...securityHeaders, ...headers, ...nameHeaders(name) }, body };
}

export function worded({ status, headers, body }: Answer, name: RequestName): EdgeResponse {
  return respond(status, headers, body, name);
}

/** A refusal of what has no request of its own. */
export function refusalResponse(code: AdminErrorCode, detail?: string): EdgeResponse {
  const name = anonymousName();
  return problemResponse(problemOf(new AdminError(code, detail), name.traceId), name);
}

interface HeaderDetails {
  readonly allow?: string;
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A problem document, with the headers that its status asks for. */
export function problemResponse(problem: Problem, name: RequestName): EdgeResponse {
  const { headers: own, ...details } = (problem.details ?? {}) as HeaderDetails & object;
  const extra: Record<string, string> = { ...own, 'content-type': 'application/problem+json' };
  const { status } = problem;
  if (status === 401) extra['www-authenticate'] = 'Bearer';
  if (status === 503) extra['retry-after'] = '1';
  if (details.retryAfter !== undefined) extra['retry-after'] = String(details.retryAfter);
  if (details.allow !== undefined) extra.allow = details.allow;
  const body = problem.details === undefined ? problem : { ...problem, details };
  return respond(status, extra, JSON.stringify(body), name);
}
