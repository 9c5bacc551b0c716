import { createHash } from 'node:crypto';

/** A login of a program by way of a browser: RFC 8252, with PKCE (RFC 7636) between program and server. */

/** Both halves of PKCE are 32 bytes in base64url here. */
export const pkceForm = '^[A-Za-z0-9_-]{43}$';

const comparedBytes = 5;
const letters = 'abcdefghijklmnopqrstuvwxyz234567';

/** S256 of RFC 7636. */
export function pkceChallenge(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/**
 * What program and page both show, "k7qp-2mxd": who is sent to the page by somebody else sees nothing
 * like it on a screen of their own.
 */
export function comparedCode(challenge: string): string {
  const digest = createHash('sha256').update(`compare ${challenge}`).digest();
  let bits = 0n;
  for (const byte of digest.subarray(0, comparedBytes)) bits = bits * 256n + BigInt(byte);
  let text = '';
  for (; text.length < 8; bits /= 32n) text += letters[Number(bits % 32n)];
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}
