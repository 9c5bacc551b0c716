import { fromHex, toHex } from './bytes.ts';

export const uuidLength = 16;

/** 16 bytes to the 36 lower-case characters of RFC 9562. */
export function uuidToText(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Undefined when `text` is not a UUID. */
export function uuidToBytes(text: string): Uint8Array | undefined {
  return uuidPattern.test(text) ? fromHex(text.replaceAll('-', '')) : undefined;
}

/** A version 4 UUID (RFC 9562, 5.4) of 16 random bytes; changes them in place. */
export function makeUuid(random: Uint8Array): Uint8Array {
  random[6] = (random[6]! & 0x0f) | 0x40;
  random[8] = (random[8]! & 0x3f) | 0x80;
  return random;
}
