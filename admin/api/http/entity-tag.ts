import { createHash } from 'node:crypto';

/** Characters of a SHA-256 in base64url: 132 bits. */
const tagLength = 22;

/** A strong entity tag (RFC 9110, section 8.8.3): another content has another one. */
export function entityTag(content: string | Uint8Array): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, tagLength)}"`;
}

/** Whether an If-Match or If-None-Match header names this tag; `*` names any. */
export function namesTag(header: string, tag: string): boolean {
  return header
    .split(',')
    .map((part) => part.trim().replace(/^W\//, ''))
    .some((part) => part === '*' || part === tag);
}
