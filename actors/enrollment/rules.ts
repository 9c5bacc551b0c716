import picomatch from 'picomatch';
import type { ServerErrorCode } from '../errors.ts';
import type { TokenRecord } from '../sink/messages.ts';

export const patternLimit = 50;
export const patternLengthLimit = 255;
const patternForm = /^[A-Za-z0-9._*?[\]{},!-]+$/;
const hostnameForm =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;

/** A host name as a token is bound to it (RFC 1123, with the underscores that the wild has). */
export function isHostname(text: string): boolean {
  return hostnameForm.test(text);
}

/** What is wrong with a token's patterns; undefined when nothing is. */
export function patternProblem(patterns: readonly string[]): string | undefined {
  if (patterns.length === 0) return 'at least one host name pattern is needed';
  if (patterns.length > patternLimit) return `at most ${patternLimit} patterns are allowed`;
  const bad = patterns.find(
    (pattern) => pattern.length > patternLengthLimit || !patternForm.test(pattern),
  );
  if (bad === undefined) return undefined;
  return `"${bad.slice(0, 80)}" is not a host name pattern such as web-* or db-[0-9].example.com`;
}

/** Whether any glob fits the whole host name; case does not matter, `*` also spans dots. */
export function hostnameMatches(patterns: readonly string[], hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return patterns.some((pattern) =>
    picomatch.isMatch(name, pattern.toLowerCase(), { noextglob: true, nonegate: true, dot: true }),
  );
}

/** Why a bearer of the right secret may not enroll with this token; undefined when it may. */
export function tokenRefusal(
  token: TokenRecord,
  hostname: string,
  nowMs: number,
): ServerErrorCode | undefined {
  if (token.revokedAtMs !== undefined) return 'ENROLLMENT_TOKEN_REVOKED';
  if (token.usedAtMs !== undefined) return 'ENROLLMENT_TOKEN_USED';
  if (nowMs >= token.expiresAtMs) return 'ENROLLMENT_TOKEN_EXPIRED';
  if (!hostnameMatches(token.match, hostname)) return 'ENROLLMENT_TOKEN_HOSTNAME';
  return undefined;
}
