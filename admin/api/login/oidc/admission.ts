import type { AccountRole } from '../../../../actors/accounts/messages.ts';
import { AdminError } from '../../../errors.ts';
import type { OidcSettings, ProvenClaims } from './provider.ts';

/** Somebody whom the provider has proven and whom server.yaml lets in. */
export interface Admission {
  readonly issuer: string;
  readonly subject: string;
  /** In the form of account names; '' when the claim has none. */
  readonly name: string;
  readonly displayName: string;
  readonly email: string;
  /** What groups give; for accounts that logins made. */
  readonly role: AccountRole;
  /** The second factor of the account need not be asked for. */
  readonly multiFactor: boolean;
}

const subjectLengthMax = 255;
const groupsMax = 1000;
const displayLengthMax = 100;
const nameLengthMax = 63;

/** Throws OIDC_NOT_ALLOWED. */
export function admit(claims: ProvenClaims, settings: OidcSettings): Admission {
  const { iss: issuer, sub: subject } = claims;
  if (subject === '' || subject.length > subjectLengthMax) {
    throw new AdminError('OIDC_TOKEN_INVALID', 'sub');
  }
  const groups = groupsOf(claims[settings.groupsClaim]);
  const { allowedGroups, allowedDomains } = settings;
  if (allowedGroups.length > 0 && !allowedGroups.some((group) => groups.has(group))) {
    throw new AdminError('OIDC_NOT_ALLOWED', 'you are in none of the groups that may');
  }
  const email = textOf(claims.email);
  if (allowedDomains.length > 0 && !isOfDomain(claims, allowedDomains)) {
    throw new AdminError('OIDC_NOT_ALLOWED', 'your verified mail address is of no domain that may');
  }
  const role = settings.roles.find(({ group }) => groups.has(group))?.role ?? settings.defaultRole;
  if (role === undefined) {
    throw new AdminError('OIDC_NOT_ALLOWED', 'none of your groups has a role');
  }
  return {
    issuer,
    subject,
    name: accountName(textOf(claims[settings.nameClaim])),
    displayName: textOf(claims.name).slice(0, displayLengthMax),
    email,
    role,
    multiFactor: isMultiFactor(claims, settings),
  };
}

/** OpenID Connect Core 1.0, section 2: `amr` and `acr` say how the provider has proven somebody. */
function isMultiFactor(
  { amr, acr }: ProvenClaims,
  { secondFactor, factorAmr, factorAcr }: OidcSettings,
): boolean {
  if (secondFactor !== 'unless-asserted') return secondFactor === 'never';
  const methods: readonly unknown[] = Array.isArray(amr) ? amr : [];
  return factorAmr.some((method) => methods.includes(method)) || factorAcr.includes(textOf(acr));
}

/** A list of texts, or one text. */
function groupsOf(claim: unknown): ReadonlySet<string> {
  const list: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return new Set(list.slice(0, groupsMax).filter((each) => typeof each === 'string'));
}

/** An address that the provider has not verified is only what somebody typed. */
function isOfDomain(claims: ProvenClaims, domains: readonly string[]): boolean {
  const { email, email_verified: verified } = claims;
  if (typeof email !== 'string' || verified !== true) return false;
  const at = email.lastIndexOf('@');
  return at > 0 && domains.includes(email.slice(at + 1).toLowerCase());
}

function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim : '';
}

/** "Alice.Liddell@example.com" -> "alice.liddell". */
export function accountName(text: string): string {
  const [local = ''] = text.toLowerCase().split('@');
  const name = local.replaceAll(/[^a-z0-9._-]/g, '-').replace(/^[^a-z]+/, '');
  return name.slice(0, nameLengthMax);
}
