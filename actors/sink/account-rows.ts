import type {
  AccountRecord,
  AccountRole,
  AccountView,
  Grant,
  LoginMethod,
  SessionRecord,
  SessionView,
} from '../accounts/messages.ts';
import type { AccountsTable, SessionsTable } from './account-tables.ts';

export function accountRecord(row: AccountsTable): AccountRecord {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    email: row.email,
    role: row.role as AccountRole,
    grants: JSON.parse(row.grants) as Grant[],
    passwordHash: row.password_hash ?? undefined,
    mustChangePassword: row.must_change_password !== 0,
    totpSealed: row.totp_sealed ?? undefined,
    totpStep: row.totp_step,
    recoveryHashes: JSON.parse(row.recovery_hashes) as string[],
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    passwordChangedAtMs: row.password_changed_at_ms ?? undefined,
    lastLoginMs: row.last_login_ms ?? undefined,
    disabledAtMs: row.disabled_at_ms ?? undefined,
    deletedAtMs: row.deleted_at_ms ?? undefined,
  };
}

export function accountRow(account: AccountRecord): AccountsTable {
  return {
    id: account.id,
    name: account.name,
    display_name: account.displayName,
    email: account.email,
    role: account.role,
    grants: JSON.stringify(account.grants),
    password_hash: account.passwordHash ?? null,
    must_change_password: Number(account.mustChangePassword),
    totp_sealed: account.totpSealed ?? null,
    totp_step: account.totpStep,
    recovery_hashes: JSON.stringify(account.recoveryHashes),
    created_at_ms: account.createdAtMs,
    created_by: account.createdBy,
    password_changed_at_ms: account.passwordChangedAtMs ?? null,
    last_login_ms: account.lastLoginMs ?? null,
    disabled_at_ms: account.disabledAtMs ?? null,
    deleted_at_ms: account.deletedAtMs ?? null,
  };
}

export function accountView(row: AccountsTable): AccountView {
  const { passwordHash, totpSealed, totpStep, recoveryHashes, ...rest } = accountRecord(row);
  return {
    ...rest,
    hasPassword: passwordHash !== undefined,
    totp: totpSealed !== undefined,
    recoveryCodesLeft: recoveryHashes.length,
  };
}

export function sessionRecord(row: SessionsTable): SessionRecord {
  return {
    id: row.id,
    accountId: row.account_id,
    tokenSha256: row.token_sha256,
    method: row.method as LoginMethod,
    createdAtMs: row.created_at_ms,
    lastUsedMs: row.last_used_ms,
    expiresAtMs: row.expires_at_ms,
    endedAtMs: row.ended_at_ms ?? undefined,
    endedBecause: row.ended_because,
    peerAddress: row.peer_address,
    userAgent: row.user_agent,
  };
}

export function sessionView(row: SessionsTable): SessionView {
  const { tokenSha256: _proof, ...view } = sessionRecord(row);
  return view;
}

export function sessionRow(session: SessionRecord): SessionsTable {
  return {
    id: session.id,
    account_id: session.accountId,
    token_sha256: session.tokenSha256,
    method: session.method,
    created_at_ms: session.createdAtMs,
    last_used_ms: session.lastUsedMs,
    expires_at_ms: session.expiresAtMs,
    ended_at_ms: session.endedAtMs ?? null,
    ended_because: session.endedBecause,
    peer_address: session.peerAddress,
    user_agent: session.userAgent,
  };
}
