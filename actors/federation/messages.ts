import type { Address } from '../../runtime/actor.ts';

/** A public key with which somebody may log in; Ed25519. */
export interface AccountKeyRecord {
  /** As ssh-keygen -l shows it: "SHA256:...". */
  readonly fingerprint: string;
  /** 32 bytes, hex. */
  readonly publicKey: string;
  readonly accountId: string;
  readonly comment: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
}

/** Whom an OpenID provider means; a name or an address of mail would not do, both change hands. */
export interface IdentityRecord {
  readonly issuer: string;
  readonly subject: string;
  readonly accountId: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
}

/** A login that was refused, for the audit log. */
export interface RefusedLogin {
  readonly method: 'oidc' | 'ssh-key' | 'ed25519';
  /** Name of the account as the stranger gave it, or the subject at the provider; '' when unknown. */
  readonly subject: string;
  /** The code of the refusal. */
  readonly code: string;
  readonly peerAddress: string;
}

/** What proves accounts besides passwords. One actor, in the service pool. */
export type FederationMessages = {
  /** Rejects with FEDERATION_KEY_TAKEN, FEDERATION_TOO_MANY or FEDERATION_BAD_REQUEST. */
  addKey: {
    payload: { accountId: string; publicKey: string; comment: string; by: string };
    reply: { fingerprint: string };
  };
  /** Rejects with FEDERATION_KEY_NOT_FOUND. */
  removeKey: {
    payload: { accountId: string; fingerprint: string; by: string };
    reply: undefined;
  };
  /** Rejects with FEDERATION_IDENTITY_TAKEN, FEDERATION_TOO_MANY or FEDERATION_BAD_REQUEST. */
  linkIdentity: {
    payload: { accountId: string; issuer: string; subject: string; by: string };
    reply: undefined;
  };
  /** Every identity of the account at the issuer. Repeating it changes nothing. */
  unlinkIdentity: {
    payload: { accountId: string; issuer: string; by: string };
    reply: undefined;
  };
  loginRefused: { payload: RefusedLogin; reply: undefined };
};

export function federationAddress(): Address<FederationMessages> {
  return { kind: 'federation', key: 'main' };
}
