import { createHash, timingSafeEqual } from 'node:crypto';
import { AdminError } from '../errors.ts';

const scheme = 'Bearer ';

/** A credential that may use the API: only the SHA-256 of its token is kept. */
export interface ApiCredential {
  readonly name: string;
  /** Hex. */
  readonly tokenSha256: string;
}

/** Returns who asks ("admin:<name>"), or throws API_UNAUTHENTICATED. Compares in constant time. */
export function authenticate(
  authorization: string | undefined,
  credentials: readonly ApiCredential[],
): string {
  if (!authorization?.startsWith(scheme)) throw new AdminError('API_UNAUTHENTICATED');
  const offered = createHash('sha256').update(authorization.slice(scheme.length).trim()).digest();
  let found: string | undefined;
  for (const credential of credentials) {
    const kept = Buffer.from(credential.tokenSha256, 'hex');
    if (kept.length === offered.length && timingSafeEqual(kept, offered)) found = credential.name;
  }
  if (found === undefined) throw new AdminError('API_UNAUTHENTICATED');
  return `admin:${found}`;
}
