import { createHash, timingSafeEqual } from 'node:crypto';
import { AdminError } from '../errors.ts';
import type { Role } from './permissions.ts';

const scheme = 'Bearer ';
/** Longer than any token of ours: what is longer is not hashed. */
const tokenLengthMax = 256;

/** Who asks, and as what. */
export interface Principal {
  /** As events name it: "admin:<name>". */
  readonly by: string;
  readonly name: string;
  readonly role: Role;
  /** Of the token's record; undefined for the local administrator's token, which has none. */
  readonly tokenId: string | undefined;
  readonly expiresAtMs: number | undefined;
}

/** A credential that may use the API: only the SHA-256 of its token is kept. */
export interface ApiCredential {
  readonly name: string;
  readonly role: Role;
  /** Hex. */
  readonly tokenSha256: string;
  readonly tokenId?: string;
  readonly expiresAtMs?: number;
  readonly revokedAtMs?: number;
}

/** The credential with this hash (hex), also an expired or revoked one; asked once a request. */
export type FindCredential = (tokenSha256: string) => ApiCredential | undefined;

/** Returns who asks, or throws API_UNAUTHENTICATED, which says why only to a token that was real. */
export function authenticate(
  authorization: string | undefined,
  find: FindCredential,
  nowMs: number,
): Principal {
  if (!authorization?.startsWith(scheme)) throw new AdminError('API_UNAUTHENTICATED');
  const token = authorization.slice(scheme.length).trim();
  if (token === '' || token.length > tokenLengthMax) throw new AdminError('API_UNAUTHENTICATED');
  const offered = createHash('sha256').update(token).digest();
  const found = find(offered.toString('hex'));
  const kept = Buffer.from(found?.tokenSha256 ?? '', 'hex');
  const same = kept.length === offered.length && timingSafeEqual(kept, offered);
  if (found === undefined || !same) throw new AdminError('API_UNAUTHENTICATED');
  if (found.revokedAtMs !== undefined) {
    throw new AdminError('API_UNAUTHENTICATED', 'the token was revoked');
  }
  if (found.expiresAtMs !== undefined && found.expiresAtMs <= nowMs) {
    throw new AdminError('API_UNAUTHENTICATED', 'the token has expired');
  }
  const { name, role, tokenId, expiresAtMs } = found;
  return { by: `admin:${name}`, name, role, tokenId, expiresAtMs };
}
