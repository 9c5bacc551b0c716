import { type AccountView, accountsAddress } from '../../../../actors/accounts/messages.ts';
import { federationAddress } from '../../../../actors/federation/messages.ts';
import { AdminError } from '../../../errors.ts';
import type { Backend } from '../../backend.ts';
import type { Admission } from './admission.ts';
import type { OidcSettings } from './provider.ts';

const askDeadlineMs = 20_000;
/** Who made the accounts of first logins; events name it. */
const maker = 'system:oidc';

/**
 * The account of somebody whom the provider has proven. Accounts are found by issuer and subject alone:
 * a name or an address of mail would let who gets it next in. Throws OIDC_NOT_LINKED, ACCOUNT_*.
 */
export async function accountFor(
  backend: Backend,
  admission: Admission,
  settings: OidcSettings,
): Promise<string> {
  const { issuer, subject } = admission;
  const identity = backend.views.federation.identity(issuer, subject);
  const account = identity && backend.views.accounts.find(identity.accountId);
  if (account !== undefined) {
    await followGroups(backend, account, admission);
    return account.id;
  }
  if (settings.autoProvision) return await provision(backend, admission, settings);
  throw new AdminError('OIDC_NOT_LINKED', `subject ${JSON.stringify(subject)}`);
}

/** The groups of the provider rule the accounts that its logins made, and no other. */
async function followGroups(
  backend: Backend,
  { id, createdBy, role }: AccountView,
  admission: Admission,
): Promise<void> {
  if (createdBy !== maker || role === admission.role) return;
  const payload = { id, role: admission.role, by: maker };
  await backend.ask(accountsAddress(), 'change', payload, askDeadlineMs);
}

async function provision(
  backend: Backend,
  { issuer, subject, name, displayName, email, role }: Admission,
  { nameClaim }: OidcSettings,
): Promise<string> {
  if (name === '') {
    throw new AdminError('OIDC_NOT_ALLOWED', `the claim ${nameClaim} gives no name`);
  }
  if (backend.views.accounts.find(name) !== undefined) {
    const detail = `${name} is somebody here already, and subject ${JSON.stringify(subject)} is not linked`;
    throw new AdminError('OIDC_NOT_LINKED', detail);
  }
  const payload = { name, displayName, email, role, password: 'none', by: maker } as const;
  const { id } = await backend.ask(accountsAddress(), 'create', payload, askDeadlineMs);
  const link = { accountId: id, issuer, subject, by: maker };
  await backend.ask(federationAddress(), 'linkIdentity', link, askDeadlineMs);
  return id;
}
