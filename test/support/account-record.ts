import type { AccountRecord } from '../../actors/accounts/messages.ts';

/** An account as a test wants it; what is not given is as plain as can be. */
export function accountRecord(
  given: Partial<AccountRecord> & { readonly id: string },
): AccountRecord {
  return {
    name: given.id,
    displayName: '',
    email: '',
    role: 'viewer',
    grants: [],
    passwordHash: undefined,
    mustChangePassword: false,
    totpSealed: undefined,
    totpStep: 0,
    recoveryHashes: [],
    createdAtMs: 1,
    createdBy: 'admin:test',
    passwordChangedAtMs: undefined,
    lastLoginMs: undefined,
    disabledAtMs: undefined,
    deletedAtMs: undefined,
    ...given,
  };
}
