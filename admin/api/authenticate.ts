import { createHash, timingSafeEqual } from 'node:crypto';
import type { AccountRole, Grant } from '../../actors/accounts/messages.ts';
import { AdminError } from '../errors.ts';
import { refuseCrossSite } from './cross-site.ts';
import type { RequestHead } from './http-edge.ts';
import { readSessionCookie } from './session-cookie.ts';

const scheme = 'Bearer ';
/** Longer than any token of ours: what is longer is not hashed. */
const tokenLengthMax = 256;
const sessionPrefix = 'vgos_';

/** Who asks, and as what. What they may do is decided by policy-decision.ts alone. */
export interface Principal {
  /** As events name it: "admin:<name>". */
  readonly by: string;
  readonly name: string;
  /** Over every envoy and the server. */
  readonly role: AccountRole;
  /** Roles over some envoys. */
  readonly grants?: readonly Grant[];
  /** All that the token may be used for, of what its owner may; absent: all of it. */
  readonly permissions?: readonly string[];
  /** Selectors of the envoys that the token is limited to; absent: no limit. */
  readonly envoys?: readonly string[];
  /** Of the token's record; undefined for sessions and the local administrator's token. */
  readonly tokenId: string | undefined;
  readonly sessionId?: string;
  /** Of a person; absent for a token that stands for itself. */
  readonly accountId?: string;
  /** Somebody else knows the password: only its change is allowed. */
  readonly mustChangePassword?: boolean;
  readonly expiresAtMs: number | undefined;
}

/** Whoever asks a public route: has no permission at all. */
export const nobody: Principal = {
  by: 'anybody',
  name: 'anybody',
  role: 'none',
  tokenId: undefined,
  expiresAtMs: undefined,
};

/** A credential that may use the API: only the SHA-256 of its token is kept. */
export interface ApiCredential extends Partial<Omit<Principal, 'by' | 'name' | 'role'>> {
  readonly name: string;
  readonly role: AccountRole;
  /** Hex. */
  readonly tokenSha256: string;
  readonly revokedAtMs?: number;
  /** A session that is not used ends here. */
  readonly idleUntilMs?: number;
  /** Its owner is disabled. */
  readonly disabled?: boolean;
}

/** The credential with this hash (hex), also one that is over; asked once a request. */
export type FindCredential = (
  tokenSha256: string,
  kind: 'token' | 'session',
) => ApiCredential | undefined;

/**
 * Returns who asks, by bearer token or else by session cookie, or throws API_UNAUTHENTICATED, which
 * says why only to a token that was real, or API_CROSS_SITE.
 */
export function authenticate(head: RequestHead, find: FindCredential, nowMs: number): Principal {
  const authorization = head.header('authorization');
  if (authorization !== undefined) return holderOf(bearerToken(authorization), find, nowMs);
  const token = readSessionCookie(head.header('cookie'));
  if (!token?.startsWith(sessionPrefix)) throw new AdminError('API_UNAUTHENTICATED');
  refuseCrossSite(head, 'cookie');
  return holderOf(token, find, nowMs);
}

function bearerToken(authorization: string): string {
  if (authorization.startsWith(scheme)) return authorization.slice(scheme.length).trim();
  throw new AdminError('API_UNAUTHENTICATED');
}

function holderOf(token: string, find: FindCredential, nowMs: number): Principal {
  if (token === '' || token.length > tokenLengthMax) throw new AdminError('API_UNAUTHENTICATED');
  const kind = token.startsWith(sessionPrefix) ? 'session' : 'token';
  const offered = createHash('sha256').update(token).digest();
  const found = find(offered.toString('hex'), kind);
  const kept = Buffer.from(found?.tokenSha256 ?? '', 'hex');
  const same = kept.length === offered.length && timingSafeEqual(kept, offered);
  if (found === undefined || !same) throw new AdminError('API_UNAUTHENTICATED');
  const over = whyOver(found, kind, nowMs);
  if (over !== undefined) throw new AdminError('API_UNAUTHENTICATED', over);
  const { tokenSha256: _proof, revokedAtMs, idleUntilMs, disabled, ...rest } = found;
  const { name, tokenId, expiresAtMs } = found;
  return { ...rest, by: `admin:${name}`, tokenId, expiresAtMs };
}

function whyOver(found: ApiCredential, kind: string, nowMs: number): string | undefined {
  if (found.disabled === true) return 'the account is disabled';
  if (found.revokedAtMs !== undefined) {
    return kind === 'session' ? 'the session was ended' : 'the token was revoked';
  }
  if (found.expiresAtMs !== undefined && found.expiresAtMs <= nowMs) {
    return `the ${kind} has expired`;
  }
  if (found.idleUntilMs !== undefined && found.idleUntilMs <= nowMs) {
    return 'the session ended because it was not used';
  }
  return undefined;
}
