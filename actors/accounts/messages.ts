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

/** What somebody proves first: a password, an identity at a provider, or a key. */
export type FirstProof = 'password' | 'oidc' | 'ssh-key' | 'ed25519';

/** How a session's owner was proven; `+totp` when our second factor was asked for. */
export type LoginMethod = 'setup' | FirstProof | `${FirstProof}+totp`;

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

/** A session together with whose it is. */
export interface OwnedSession {
  readonly session: SessionRecord;
  readonly account: AccountView;
}

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

/** What a login leads to: a session, or the question for the second factor. */
export type LoginAnswer =
  | { readonly session: OpenedSession; readonly account: AccountView }
  | { readonly challenge: string; readonly expiresAtMs: number };

/** Who may be told of an account; everything but what proves it. */
export interface AccountChanges {
  readonly displayName?: string | undefined;
  readonly email?: string | undefined;
  readonly role?: AccountRole | undefined;
  readonly grants?: readonly Grant[] | undefined;
}

/** A secret that is shown once. */
export interface TotpEnrolment {
  /** Base32, for typing. */
  readonly secret: string;
  /** For a QR code. */
  readonly uri: string;
}

/** Accounts and their sessions. One actor, in the service pool; passwords of logins are checked in lanes. */
export type AccountMessages = LoginMessages &
  OwnAccountMessages & {
    /**
     * After a proof outside of this actor (OIDC, a key's signature); the caller vouches for it. Rejects
     * with ACCOUNT_NOT_FOUND or ACCOUNT_DISABLED.
     */
    openSession: {
      payload: {
        accountId: string;
        method: Exclude<FirstProof, 'password'>;
        /** The proof was of two factors: ours is not asked for. */
        multiFactor: boolean;
        origin: LoginOrigin;
      };
      reply: LoginAnswer;
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
    /** Rejects with ACCOUNT_BAD_REQUEST, ACCOUNT_NAME_TAKEN or ACCOUNT_PASSWORD_WEAK. */
    create: {
      payload: AccountChanges & {
        name: string;
        role: AccountRole;
        /** `generate`: the reply has one that must be changed; `none`: no login by password. */
        password: { given: string } | 'generate' | 'none';
        by: string;
      };
      reply: { id: string; password: string | undefined };
    };
    /** Ends the account's sessions when role or grants change. Rejects with ACCOUNT_LAST_ADMIN too. */
    change: { payload: AccountChanges & { id: string; by: string }; reply: undefined };
    /** Ends sessions; tokens of the account stop working while it is disabled. */
    setDisabled: { payload: { id: string; disabled: boolean; by: string }; reply: undefined };
    /** For ever; the name is not given again. */
    remove: { payload: { id: string; by: string }; reply: undefined };
    /** The new one must be changed at the next login. Ends sessions. */
    resetPassword: {
      payload: { id: string; password: string | undefined; by: string };
      reply: { password: string };
    };
    resetTotp: { payload: { id: string; by: string }; reply: undefined };
    /** Makes the code for the first administrator, when there is no account and no code. */
    prepareSetup: { payload: Record<string, never>; reply: { code: string | undefined } };
    /** Rejects with ACCOUNT_SETUP_DONE, ACCOUNT_SETUP_REFUSED, ACCOUNT_LOGIN_WAIT, ACCOUNT_PASSWORD_WEAK. */
    setUp: {
      payload: {
        code: string;
        name: string;
        displayName: string;
        password: string;
        origin: LoginOrigin;
      };
      reply: { session: OpenedSession; account: AccountView };
    };
  };

type LoginMessages = {
  /** What a lane needs to check a password; counts the try. Rejects with ACCOUNT_LOGIN_WAIT. */
  beginLogin: {
    payload: { name: string; origin: LoginOrigin };
    reply: { accountId: string | undefined; passwordHash: string };
  };
  /** What the lane found. Rejects with ACCOUNT_LOGIN_FAILED or ACCOUNT_DISABLED. */
  endLogin: {
    payload: { name: string; accountId: string | undefined; proven: boolean; origin: LoginOrigin };
    reply: LoginAnswer;
  };
  /** A TOTP or recovery code. Rejects with ACCOUNT_CHALLENGE_ENDED, ACCOUNT_LOGIN_FAILED, ACCOUNT_LOGIN_WAIT. */
  secondFactor: {
    payload: { challenge: string; code: string; origin: LoginOrigin };
    reply: { session: OpenedSession; account: AccountView };
  };
};

/** What people do to their own account; `current`, the password, is proven again, or a stolen session could keep it. */
type OwnAccountMessages = {
  /** Ends every session and opens a new one. */
  changePassword: {
    payload: { accountId: string; current: string; next: string; origin: LoginOrigin };
    reply: OpenedSession;
  };
  /**
   * In force once `confirmTotp` has proven that the app has it. Without `current` the account must have
   * no password; the caller then vouches for a login of a moment ago.
   */
  enrolTotp: {
    payload: { accountId: string; current: string | undefined; origin: LoginOrigin };
    reply: TotpEnrolment;
  };
  /** Shows the recovery codes this once. */
  confirmTotp: {
    payload: { accountId: string; code: string; origin: LoginOrigin };
    reply: { recoveryCodes: string[] };
  };
  removeTotp: {
    payload: { accountId: string; code: string; origin: LoginOrigin };
    reply: undefined;
  };
};

/** Checks passwords of logins, one at a time per lane. */
export type LoginLaneMessages = {
  /** Rejects as `beginLogin` and `endLogin` do. */
  login: {
    payload: { name: string; password: string; origin: LoginOrigin };
    reply: LoginAnswer;
  };
};

/** Memory for as many hashes at once (19 MiB each); one address can fill one lane only. */
const loginLanes = 4;

export function loginAddress(peerAddress: string): Address<LoginLaneMessages> {
  let sum = 0;
  for (const character of peerAddress) sum = (sum * 31 + character.charCodeAt(0)) % 65_536;
  return { kind: 'login', key: `lane-${sum % loginLanes}` };
}

export function accountsAddress(): Address<AccountMessages> {
  return { kind: 'accounts', key: 'main' };
}
