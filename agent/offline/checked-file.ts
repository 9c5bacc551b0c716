import { crc32 } from './checksum.ts';

/** "VIGO" and the version of this layout. */
const magic = [0x56, 0x49, 0x47, 0x01];
const headerLength = 12;

/**
 * Wraps content with its length and checksum, so that a half-written or rotten file never reads as
 * good: 4 bytes magic, 4 bytes length, 4 bytes CRC-32 (big-endian), content.
 */
export function encodeChecked(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerLength + content.length);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  view.setUint32(4, content.length);
  view.setUint32(8, crc32(content));
  bytes.set(content, headerLength);
  return bytes;
}

/** Undefined when the bytes are not a whole checked file. */
export function decodeChecked(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < headerLength || magic.some((byte, index) => bytes[index] !== byte))
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const content = bytes.subarray(headerLength);
  if (view.getUint32(4) !== content.length || view.getUint32(8) !== crc32(content))
    return undefined;
  return content;
}
