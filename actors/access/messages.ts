import type { Address } from '../../runtime/actor.ts';

/**
 * What people may be; admin/api/permissions.ts says what each may do. The first four are a ladder,
 * weakest first; the auditor stands beside it.
 */
export const accessRoles = ['viewer', 'operator', 'approver', 'admin', 'auditor'] as const;

export type AccessRole = (typeof accessRoles)[number];

/** Named API tokens of people and programs. One actor, in the service pool. */
export type AccessMessages = {
  /** Rejects with ACCESS_BAD_REQUEST or ACCESS_NAME_TAKEN. */
  createToken: {
    payload: {
      name: string;
      role: AccessRole;
      expiresInMs: number | undefined;
      by: string;
      accountId?: string;
      permissions?: readonly string[];
      envoys?: readonly string[];
    };
    /** The token is shown this once; only its SHA-256 is kept. */
    reply: { id: string; token: string; expiresAtMs: number | undefined };
  };
  /** In force for the next request. Repeating it changes nothing. Rejects with ACCESS_TOKEN_NOT_FOUND. */
  revokeToken: { payload: { id: string; by: string }; reply: undefined };
  /** For its "last used"; the web thread tells it at most once a minute. */
  used: { payload: { id: string; atMs: number }; reply: undefined };
  /** An address offered credentials that were not taken: an audit event. */
  refused: { payload: { peerAddress: string; count: number }; reply: undefined };
};

/** A named token as it is kept. */
export interface AdminTokenRecord {
  readonly id: string;
  /** Of the person or program; events name it "admin:<name>". */
  readonly name: string;
  readonly role: AccessRole;
  /** SHA-256 of the token, hex. The token has 256 random bits, so a fast hash is enough. */
  readonly tokenSha256: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number | undefined;
  readonly lastUsedMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  /** The account on whose behalf it acts, never with more rights; undefined: a person or program of its own. */
  readonly accountId: string | undefined;
  /** All that it may do, of what the role may; undefined: all of that. */
  readonly permissions: readonly string[] | undefined;
  /** Selectors of the envoys that it is limited to; undefined: no limit. */
  readonly envoys: readonly string[] | undefined;
}

/** A named token without what proves it. */
export type AdminTokenView = Omit<AdminTokenRecord, 'tokenSha256'>;

export function accessAddress(): Address<AccessMessages> {
  return { kind: 'access', key: 'main' };
}
