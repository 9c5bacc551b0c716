import type { Turn } from '../../runtime/actor.ts';
import type { AuditEvent } from '../audit/event.ts';
import { ServerError } from '../errors.ts';
import { type SinkRecord, sinkAddress } from '../sink/messages.ts';
import { Challenges } from './challenges.ts';
import { LoginGuard } from './login-guard.ts';
import type { AccountRecord, AccountView } from './messages.ts';
import type { PasswordHash } from './password.ts';
import type { SecretSeal } from './totp-seal.ts';

const sinkDeadlineMs = 15_000;

/** What the accounts actor reads of the database; it sees every write that was acknowledged. */
export interface AccountReader {
  byId(id: string): Promise<AccountRecord | undefined>;
  byName(name: string): Promise<AccountRecord | undefined>;
  /** Whether there was ever an account. */
  any(): Promise<boolean>;
  /** Administrators who are not disabled. */
  admins(): Promise<readonly string[]>;
  ownerOf(sessionId: string): Promise<string | undefined>;
}

/** Where the code for the first administrator stands, for root on the server only. */
export interface SetupCodeFile {
  read(): Promise<string | undefined>;
  write(code: string): Promise<void>;
  remove(): Promise<void>;
}

export interface AccountSettings {
  /** A session ends after this long without use. */
  readonly sessionIdleMs: number;
  /** A session ends after this long, used or not. */
  readonly sessionLifetimeMs: number;
  /** Whether who logs in by a key is asked for the second factor of the account. */
  readonly keySecondFactor: 'ask' | 'skip';
}

export interface AccountDependencies {
  readonly store: AccountReader;
  readonly settings: AccountSettings;
  readonly passwords: PasswordHash;
  readonly seal: SecretSeal;
  readonly setupCode: SetupCodeFile;
  /** Shown by authenticator apps. */
  readonly issuer: string;
}

/** Dependencies, and what lives as long as the thread: a refused turn must not forget a failure. */
export interface AccountContext extends AccountDependencies {
  readonly guard: LoginGuard;
  readonly challenges: Challenges;
  /** Account -> the secret that its owner has not confirmed yet. */
  readonly enrolments: Map<string, Uint8Array>;
  /** What an unknown name is checked against, so that it takes as long as a known one. */
  decoyHash(): Promise<string>;
  /** Setup codes that were wrong, since the last one was made. */
  setupFailures: number;
}

export function accountContext(dependencies: AccountDependencies): AccountContext {
  let decoy: Promise<string> | undefined;
  return {
    ...dependencies,
    guard: new LoginGuard(),
    challenges: new Challenges(),
    enrolments: new Map(),
    decoyHash: () => {
      decoy ??= dependencies.passwords.hash('the password of nobody');
      return decoy;
    },
    setupFailures: 0,
  };
}

export type AccountTurn = Turn<undefined>;

/** Also a disabled account; not a deleted one. Throws ACCOUNT_NOT_FOUND. */
export async function accountOf({ store }: AccountContext, id: string): Promise<AccountRecord> {
  const account = await store.byId(id);
  if (account === undefined || account.deletedAtMs !== undefined) {
    throw new ServerError('ACCOUNT_NOT_FOUND', { id });
  }
  return account;
}

export function viewOf(account: AccountRecord): AccountView {
  const { passwordHash, totpSealed, totpStep: _step, recoveryHashes, ...rest } = account;
  return {
    ...rest,
    hasPassword: passwordHash !== undefined,
    totp: totpSealed !== undefined,
    recoveryCodesLeft: recoveryHashes.length,
  };
}

/** One transaction; resolves when it is on disk. */
export async function write(
  turn: AccountTurn,
  records: SinkRecord[],
  audit: AuditEvent[],
): Promise<void> {
  await turn.ask(sinkAddress(), 'write', { records, audit }, sinkDeadlineMs);
}

/** 8 random bytes, hex. */
export function newId(turn: AccountTurn): string {
  return Buffer.from(turn.ports.random.bytes(8)).toString('hex');
}

/** 32 random bytes, base64url. */
export function newSecret(turn: AccountTurn): string {
  return Buffer.from(turn.ports.random.bytes(32)).toString('base64url');
}
