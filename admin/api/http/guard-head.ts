import { AdminError } from '../../errors.ts';
import type { RequestHead } from '../http-edge.ts';

const pathLengthMax = 2_048;
const queryLengthMax = 16_384;
/** By which proxies and frameworks let a request pretend another method. */
const overrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Refuses requests that mean one thing to a proxy and another one to us; before anything else is looked at. */
export function guardHead(request: RequestHead): void {
  const [repeated] = request.repeatedHeaders ?? [];
  if (repeated !== undefined) throw new AdminError('API_HEADER_REPEATED', repeated);
  const override = overrides.find((name) => request.header(name) !== undefined);
  if (override !== undefined) throw new AdminError('API_METHOD_OVERRIDE', override);
  if (request.path.length > pathLengthMax || request.query.length > queryLengthMax) {
    throw new AdminError('API_TOO_LARGE', 'the address is too long');
  }
}

/** A parameter of a path: what hides a slash or a control character in it is no name of ours. */
export function decodePathPart(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw new AdminError('API_BAD_REQUEST', `the path has a broken escape: ${text.slice(0, 100)}`);
  }
  if (/[\p{Cc}/\\]/u.test(decoded) || decoded === '..' || decoded === '.') {
    throw new AdminError('API_BAD_REQUEST', 'the path hides a separator or control character');
  }
  return decoded;
}

/** Headers of which a second one would say something else to somebody. */
const singular: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'content-encoding',
  'cookie',
  'host',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'origin',
  'transfer-encoding',
  'traceparent',
]);

/** Names that stand more than once in a list of names and values in turn, as node:http gives them. */
export function repeatedHeaders(raw: readonly string[]): string[] {
  const seen = new Set<string>();
  const repeated: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? '';
    if (singular.has(name) && seen.has(name)) repeated.push(name);
    seen.add(name);
  }
  return repeated;
}
