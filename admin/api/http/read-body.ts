import { AdminError } from '../../errors.ts';
import type { EdgeRequest } from '../http-edge.ts';

const depthMax = 64;
const quote = 0x22;
const backslash = 0x5c;
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The JSON value of a body; undefined when there is none. Throws API_BODY_* and API_BAD_REQUEST. */
export function readJsonBody({ body, header }: EdgeRequest): unknown {
  if (body.length === 0) return undefined;
  const [type = ''] = (header('content-type') ?? 'application/json').split(';');
  if (type.trim().toLowerCase() !== 'application/json') {
    throw new AdminError('API_BODY_TYPE', `it is called ${JSON.stringify(type.slice(0, 100))}`);
  }
  const encoding = header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw new AdminError(
      'API_BODY_TYPE',
      `it is encoded with ${JSON.stringify(encoding.slice(0, 100))}`,
    );
  }
  if (isDeeperThan(body, depthMax)) throw new AdminError('API_BODY_TOO_DEEP');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('API_BAD_REQUEST', `the body is not JSON: ${reason}`);
  }
}

/** Looks at the brackets outside of strings; what is no JSON may give either answer. */
export function isDeeperThan(json: Uint8Array, most: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] ?? 0;
    if (byte === quote) at = endOfString(json, at);
    else if (opening.has(byte)) depth += 1;
    else if (closing.has(byte)) depth -= 1;
    if (depth > most) return true;
  }
  return false;
}

/** The index of the closing quote of a string that opens at `from`. */
function endOfString(json: Uint8Array, from: number): number {
  for (let at = json.indexOf(quote, from + 1); at !== -1; at = json.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (json[at - 1 - slashes] === backslash) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return json.length;
}
