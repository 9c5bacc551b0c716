import type { Address } from '../../runtime/actor.ts';
import type { AccessRole } from '../access/messages.ts';

/** What an account may be everywhere; `none` may do nothing beyond what its grants give. */
export const accountRoles = ['none', 'viewer', 'operator', 'approver', 'admin', 'auditor'] as const;

export type AccountRole = (typeof accountRoles)[number];

/** A role over some envoys. */
export interface Grant {
  readonly role: AccessRole;
  /** Host name glob ("web-*"), envoy id, or trait filter ("os.family=debian"); see selector.ts. */
  readonly envoys: string;
}

/** How a session's owner was proven; `password+totp` when the second factor was asked for. */
export const loginMethods = [
  'setup',
  'password',
  'password+totp',
  'oidc',
  'ssh-key',
  'ed25519',
] as const;

export type LoginMethod = (typeof loginMethods)[number];

/** A person. */
export interface AccountRecord {
  readonly id: string;
  /** Events name it "admin:<name>". Never given to somebody else. */
  readonly name: string;
  readonly displayName: string;
  readonly email: string;
  readonly role: AccountRole;
  readonly grants: readonly Grant[];
  /** argon2id, PHC string; undefined: no login by password. */
  readonly passwordHash: string | undefined;
  /** Somebody else knows it; nothing but its change is allowed. */
  readonly mustChangePassword: boolean;
  /** Sealed (totp-seal.ts); undefined: no second factor. */
  readonly totpSealed: string | undefined;
  /** Of the last code that was taken: none is taken twice. */
  readonly totpStep: number;
  /** SHA-256 of the recovery codes that are left, hex. */
  readonly recoveryHashes: readonly string[];
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly passwordChangedAtMs: number | undefined;
  readonly lastLoginMs: number | undefined;
  readonly disabledAtMs: number | undefined;
  readonly deletedAtMs: number | undefined;
}

/** An account without what proves it. */
export interface AccountView
  extends Omit<AccountRecord, 'passwordHash' | 'totpSealed' | 'totpStep' | 'recoveryHashes'> {
  readonly hasPassword: boolean;
  readonly totp: boolean;
  readonly recoveryCodesLeft: number;
}

export interface SessionRecord {
  readonly id: string;
  readonly accountId: string;
  /** SHA-256 of the token, hex. The token has 256 random bits, so a fast hash is enough. */
  readonly tokenSha256: string;
  readonly method: LoginMethod;
  readonly createdAtMs: number;
  readonly lastUsedMs: number;
  /** The absolute end; a session that is not used ends before. */
  readonly expiresAtMs: number;
  readonly endedAtMs: number | undefined;
  /** '' while it goes on. */
  readonly endedBecause: string;
  readonly peerAddress: string;
  readonly userAgent: string;
}

export type SessionView = Omit<SessionRecord, 'tokenSha256'>;

/** Where a login came from; shown to the account's owner. */
export interface LoginOrigin {
  readonly peerAddress: string;
  readonly userAgent: string;
}

/** A new session; the token is told this once. */
export interface OpenedSession {
  readonly sessionId: string;
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Accounts and their sessions. One actor, in the service pool; slow work is the login lanes'. */
export type AccountMessages = {
  /**
   * After a proof outside of this actor (OIDC, a key's signature). Rejects with ACCOUNT_NOT_FOUND or
   * ACCOUNT_DISABLED. The caller vouches for the proof; a second factor is not asked for.
   */
  openSession: {
    payload: { accountId: string; method: LoginMethod; origin: LoginOrigin };
    reply: OpenedSession;
  };
  /** Ends one session, now. Repeating it changes nothing. */
  endSession: { payload: { sessionId: string; reason: string; by: string }; reply: undefined };
  /** Ends every session of the account but `except`. */
  endSessions: {
    payload: { accountId: string; except: string | undefined; reason: string; by: string };
    reply: undefined;
  };
  /** For the idle limit; the web thread tells it at most once a minute. */
  sessionUsed: { payload: { sessionId: string; atMs: number }; reply: undefined };
};

export function accountsAddress(): Address<AccountMessages> {
  return { kind: 'accounts', key: 'main' };
}
