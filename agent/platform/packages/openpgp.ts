import { hash } from 'node:crypto';

const publicKeyTag = 6;
/** Packets looked at in one file; a keyring of a distribution holds a few dozen. */
const packetLimit = 10_000;

/**
 * Fingerprints (40 hexadecimal digits, upper case) of the primary keys in a file of OpenPGP public
 * keys, armoured or binary; RFC 4880, version 4. Undefined when it is no such file.
 */
export function keyFingerprints(file: Uint8Array): string[] | undefined {
  const bytes = dearmoured(file);
  if (bytes === undefined) return undefined;
  const found: string[] = [];
  let at = 0;
  for (let count = 0; at < bytes.length; count += 1) {
    const packet = readPacket(bytes, at);
    if (packet === undefined || count >= packetLimit) return undefined;
    const { tag, start, end } = packet;
    if (tag === publicKeyTag && bytes[start] === 4) {
      const body = bytes.subarray(start, end);
      const head = [0x99, body.length >> 8, body.length & 0xff];
      found.push(hash('sha1', Buffer.concat([Buffer.from(head), body]), 'hex').toUpperCase());
    }
    at = end;
  }
  return found.length === 0 ? undefined : found;
}

export function isArmoured(file: Uint8Array): boolean {
  const start = new TextDecoder().decode(file.subarray(0, 4096));
  return start.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----');
}

function dearmoured(file: Uint8Array): Uint8Array | undefined {
  if (!isArmoured(file)) return file;
  const text = new TextDecoder().decode(file).replace(/\r/g, '');
  const parts: Uint8Array[] = [];
  const block =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[^\n]+\n)*?\n([A-Za-z0-9+/=\n]+?)(?:\n=[A-Za-z0-9+/]{4})?\n-----END/g;
  for (const [, body] of text.matchAll(block)) parts.push(Buffer.from(body!, 'base64'));
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

interface Packet {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

function readPacket(bytes: Uint8Array, at: number): Packet | undefined {
  const first = bytes[at]!;
  if ((first & 0x80) === 0) return undefined;
  const isNew = (first & 0x40) !== 0;
  const tag = isNew ? first & 0x3f : (first >> 2) & 0x0f;
  const length = isNew ? newLength(bytes, at + 1) : oldLength(bytes, at + 1, first & 3);
  if (length === undefined) return undefined;
  const start = at + 1 + length.size;
  const end = start + length.value;
  return end > bytes.length ? undefined : { tag, start, end };
}

interface Length {
  readonly size: number;
  readonly value: number;
}

function newLength(bytes: Uint8Array, at: number): Length | undefined {
  const first = bytes[at];
  if (first === undefined || (first > 223 && first < 255)) return undefined;
  if (first < 192) return { size: 1, value: first };
  if (first < 224) return { size: 2, value: ((first - 192) << 8) + (bytes[at + 1] ?? 0) + 192 };
  return { size: 5, value: bigEndian(bytes, at + 1, 4) };
}

function oldLength(bytes: Uint8Array, at: number, type: number): Length | undefined {
  const size = [1, 2, 4][type];
  return size === undefined ? undefined : { size, value: bigEndian(bytes, at, size) };
}

function bigEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let index = 0; index < size; index += 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
