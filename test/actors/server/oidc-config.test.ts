import t from 'tap';
import { parseConfig } from '../../../actors/server/config/load.ts';

function parse(text: string) {
  return parseConfig(text, { file: 'server.yaml', home: '/home/vigo' }).oidc;
}

t.test('without a section nobody logs in by a provider', async (t) => {
  t.match(parse(''), { issuer: '', autoProvision: false, defaultRole: undefined, roles: [] });
});

t.test('what an owner sets decides who may log in as what', async (t) => {
  const oidc = parse(`oidc:
  issuer: https://login.example.com/realms/ops
  client_id: vigo
  client_secret_file: keys/oidc-secret
  scopes: [email, groups]
  roles: ["vigo admins=admin", "a=b=viewer"]
  default_role: viewer
  allowed_domains: [example.com]
  allowed_groups: [ops]
  auto_provision: on
`);
  t.match(oidc, {
    clientSecretFile: '/home/vigo/keys/oidc-secret',
    scopes: ['openid', 'email', 'groups'],
    roles: [
      { group: 'vigo admins', role: 'admin' },
      { group: 'a=b', role: 'viewer' },
    ],
    defaultRole: 'viewer',
    autoProvision: true,
    timeoutMs: 10_000,
  });
  t.equal(parse('oidc: {issuer: "http://127.0.0.1:9", client_id: x}').issuer, 'http://127.0.0.1:9');
});

t.test('a slip of the hand is found at the start, with its place', async (t) => {
  const bad = {
    'issuer: login.example.com': 'https://host/path',
    'issuer: http://login.example.com': 'to this machine',
    'issuer: http://127.0.0.1.example.com': 'to this machine',
    'roles: [admins]': 'group=role',
    'roles: ["admins=root"]': 'group=role',
    'allowed_domains: ["@example.com"]': 'example.com',
    'scopes: ["a b"]': 'scopes',
    'auto_provision: yes': 'off, on',
    'redirect_url: http://vigo/callback': 'https://host',
  };
  for (const [line, expected] of Object.entries(bad)) {
    const message = new RegExp(`server.yaml:2:.*${expected}`, 's');
    t.throws(() => parse(`oidc:\n  ${line}\n`), { code: 'CONFIG_INVALID_VALUE', message }, line);
  }
  const lonely = { code: 'CONFIG_INVALID_VALUE', message: /oidc.client_id/ };
  t.throws(() => parse('oidc: {issuer: "https://a.example"}'), lonely);
});
