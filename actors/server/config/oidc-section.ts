import { Type } from 'typebox';
import { type AccountRole, accountRoles } from '../../accounts/messages.ts';
import { ServerError } from '../../errors.ts';
import { durationExamples, parseDuration } from './duration.ts';
import { homePath } from './home-path.ts';

/** How people log in by an OpenID provider. Paths are absolute; '' = not given. */
export interface OidcSettings {
  /** '' = there is none. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecretFile: string;
  readonly scopes: readonly string[];
  /** '' = the name under which the browser reached us. */
  readonly redirectUrl: string;
  readonly nameClaim: string;
  readonly groupsClaim: string;
  /** First match wins. */
  readonly roles: readonly { readonly group: string; readonly role: AccountRole }[];
  /** For who is in none of these groups; undefined: refused. */
  readonly defaultRole: AccountRole | undefined;
  readonly allowedDomains: readonly string[];
  readonly allowedGroups: readonly string[];
  readonly autoProvision: boolean;
  /** Whether accounts with a second factor are asked for it after the provider has proven them. */
  readonly secondFactor: 'unless-asserted' | 'always' | 'never';
  /** Values of `amr` and of `acr` in the ID token that say that the provider asked for two factors. */
  readonly factorAmr: readonly string[];
  readonly factorAcr: readonly string[];
  /** On the button of the login page. */
  readonly label: string;
  readonly caFile: string;
  readonly timeoutMs: number;
}

const listMax = 200;
const roleForm = new RegExp(`^(.{1,200})=(${accountRoles.join('|')})$`);
const domainForm = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;
/** Plain http only to this machine: what is on the way could change keys and tokens. */
const issuerForm =
  '^$|^https://[^\\s?#]+$|^http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:\\d+)?(/[^\\s?#]*)?$';

const text = (description: string, value: string, pattern?: string, expected = 'text') =>
  Type.String({
    description,
    default: value,
    maxLength: 1000,
    expected,
    ...(pattern === undefined ? {} : { pattern }),
  });

const list = (description: string, value: string[], expected: string) =>
  Type.Array(Type.String({ maxLength: 255 }), {
    description,
    default: value,
    maxItems: listMax,
    expected,
  });

const choice = <const T extends readonly string[]>(values: T, description: string, value: string) =>
  Type.Union(
    values.map((each) => Type.Literal(each)),
    { description, default: value, expected: values.join(', ') },
  );

/** The section `oidc` of server.yaml. */
export const oidcSection = Type.Object(
  {
    issuer: text(
      'The provider, as it names itself: https://... Empty: nobody logs in this way.',
      '',
      issuerForm,
      'https://host/path, or http:// to this machine',
    ),
    client_id: text('The name of this server at the provider.', ''),
    client_secret_file: text(
      'File with the client secret, mode 0600; read at each login. Empty: a public client.',
      '',
    ),
    scopes: list(
      'What is asked for; openid is always among it.',
      ['openid', 'profile', 'email'],
      'a list of scopes',
    ),
    redirect_url: text(
      'Where the provider sends browsers back to: https://NAME/api/v1/login/oidc/callback. Empty: with\n' +
        'the name under which the browser reached this server.',
      '',
      '^$|^https://[^\\s?#]+$',
      'https://host/api/v1/login/oidc/callback',
    ),
    name_claim: text('The claim that a new account is named by.', 'preferred_username'),
    groups_claim: text('The claim that lists groups.', 'groups'),
    roles: list(
      'Which group has which role, "group=role"; the first that fits counts. Roles of linked accounts\n' +
        'that an administrator made stay as they are.',
      [],
      `a list of group=role; roles are ${accountRoles.join(', ')}`,
    ),
    default_role: choice(
      ['refuse', ...accountRoles],
      'The role of who is in none of these groups.',
      'refuse',
    ),
    allowed_domains: list(
      'Domains of verified mail addresses that may log in. Empty: all may.',
      [],
      'a list of domains such as example.com',
    ),
    allowed_groups: list(
      'Groups of which one is needed to log in. Empty: all may.',
      [],
      'a list of groups',
    ),
    auto_provision: choice(
      ['off', 'on'],
      'Whether the first login makes an account. off: an administrator links accounts.',
      'off',
    ),
    second_factor: choice(
      ['unless_asserted', 'always', 'never'],
      'Whether accounts with a second factor here are asked for it. unless_asserted: not when the ID\n' +
        'token says by amr or acr that the provider asked for one.',
      'unless_asserted',
    ),
    factor_amr: list(
      'Values of amr that say so (RFC 8176).',
      ['mfa'],
      'a list of authentication methods such as mfa',
    ),
    factor_acr: list(
      'Values of acr that say so; the provider is asked for them. Which there are is its own affair.',
      [],
      'a list of authentication context classes',
    ),
    label: text('What the login page calls the provider.', 'single sign-on'),
    ca_file: text(
      'PEM file of the authority of its certificate. Empty: the authorities that Node trusts.',
      '',
    ),
    timeout: Type.String({
      description: 'How long one request to the provider may take.',
      default: '10s',
      duration: true,
      leastMs: 100,
      expected: `${durationExamples}, at least 100ms`,
    }),
  },
  { additionalProperties: false, description: 'Login by an OpenID provider; docs/login.md.' },
);

/** What may stand in a list with spaces between (RFC 6749, section 3.3). */
const isToken = (item: string) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(item);

/** Rules that JSON Schema cannot say; by the path of the key. */
export const oidcItemChecks: ReadonlyMap<string, (item: string) => boolean> = new Map([
  ['oidc.roles', (item: string) => roleForm.test(item)],
  ['oidc.allowed_domains', (item: string) => domainForm.test(item)],
  ['oidc.scopes', isToken],
  ['oidc.factor_amr', isToken],
  ['oidc.factor_acr', isToken],
]);

/** Throws CONFIG_INVALID_VALUE for an issuer without a client. */
export function oidcFromRaw(raw: Type.Static<typeof oidcSection>, home: string): OidcSettings {
  const path = (file: string) => homePath(home, file);
  if (raw.issuer !== '' && raw.client_id === '') {
    throw new ServerError('CONFIG_INVALID_VALUE', {
      file: 'server.yaml',
      line: 0,
      column: 0,
      key: 'oidc.client_id',
      value: '""',
      expected: 'the name of this server at the provider, because oidc.issuer is set',
    });
  }
  return {
    issuer: raw.issuer,
    clientId: raw.client_id,
    clientSecretFile: path(raw.client_secret_file),
    scopes: [...new Set(['openid', ...raw.scopes])],
    redirectUrl: raw.redirect_url,
    nameClaim: raw.name_claim,
    groupsClaim: raw.groups_claim,
    roles: raw.roles.flatMap((each) => {
      const [, group, role] = roleForm.exec(each) ?? [];
      return group === undefined ? [] : [{ group, role: role as AccountRole }];
    }),
    defaultRole: raw.default_role === 'refuse' ? undefined : (raw.default_role as AccountRole),
    allowedDomains: raw.allowed_domains,
    allowedGroups: raw.allowed_groups,
    autoProvision: raw.auto_provision === 'on',
    secondFactor: raw.second_factor === 'unless_asserted' ? 'unless-asserted' : raw.second_factor,
    factorAmr: raw.factor_amr,
    factorAcr: raw.factor_acr,
    label: raw.label,
    caFile: path(raw.ca_file),
    timeoutMs: parseDuration(raw.timeout) ?? 0,
  };
}
