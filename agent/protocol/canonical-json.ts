import { AgentError } from '../errors.ts';
import { jsonDepthLimit } from './limits.ts';

/**
 * JSON with one form per value, after RFC 8785: keys sorted by UTF-16 code units, no white space,
 * numbers as ECMAScript writes them, UTF-8. Keys whose value is undefined are left out.
 * Throws PROTOCOL_NOT_JSON for what JSON cannot hold, and below 64 levels.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

const encoder = new TextEncoder();

export function canonicalJsonBytes(value: unknown): Uint8Array {
  return encoder.encode(write(value, 0));
}

function write(value: unknown, depth: number): string {
  if (depth > jsonDepthLimit) throw new AgentError('PROTOCOL_NOT_JSON', 'nested too deep');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw new AgentError('PROTOCOL_NOT_JSON', `the number ${value}`);
  }
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') return writeObject(value as Record<string, unknown>, depth);
  throw new AgentError('PROTOCOL_NOT_JSON', `a value of type ${typeof value}`);
}

function writeObject(value: Record<string, unknown>, depth: number): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${write(member, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}
