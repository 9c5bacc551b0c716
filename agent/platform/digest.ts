import { hash } from 'node:crypto';

/** SHA-256 of text (UTF-8) or bytes, in hexadecimal. */
export function sha256Hex(content: string | Uint8Array): string {
  return hash('sha256', content);
}
