import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../../actors/server/config/load.ts';
import { accountName, admit } from '../../../admin/api/login/oidc/admission.ts';
import { PendingLogins } from '../../../admin/api/login/oidc/pending-login.ts';
import { OpenIdProvider, type ProvenClaims } from '../../../admin/api/login/oidc/provider.ts';
import { AdminError } from '../../../admin/errors.ts';
import {
  type ForgedToken,
  ForgingOpenIdProviderDouble,
  strangersKey,
} from '../../support/forging-openid-provider-double.ts';
import { openIdProvider, testClient } from '../../support/openid-provider.ts';
import { fc } from '../../support/property.ts';

const directory = mkdtempSync(join(tmpdir(), 'vigo-oidc-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
writeFileSync(join(directory, 'secret'), `${testClient.secret}\n`);
const callback = 'https://vigo.example.com/api/v1/login/oidc/callback';

function settings(issuer: string, more = '') {
  const text = `oidc:\n  issuer: ${issuer}\n  client_id: ${testClient.id}\n  client_secret_file: secret\n${more}`;
  return parseConfig(text, { file: 'server.yaml', home: directory }).oidc;
}

const clock = { now: Date.now() };
const provider = (issuer: string, more = '') =>
  new OpenIdProvider(settings(issuer, more), () => clock.now);

async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof AdminError) return error.code;
    throw error;
  }
  return 'none';
}

t.test('a real provider proves a person, once for each login', async (t) => {
  const people = {
    alice: {
      preferred_username: 'Alice',
      email: 'alice@example.com',
      email_verified: true,
      groups: ['ops'],
    },
  };
  const real = await openIdProvider(t, people, [callback]);
  const roles = '  roles: ["ops=operator"]\n  allowed_domains: [example.com]\n';
  const ours = provider(real.issuer, roles);
  const { url, pending } = await ours.begin(callback, '/envoys');
  t.match(new URL(url).searchParams.get('code_challenge_method'), 'S256');
  const back = await real.logIn(url, 'alice');
  t.equal(back.href.startsWith(callback), true);
  const claims = await ours.finish(back.search.slice(1), pending);
  t.match(admit(claims, ours.settings), {
    issuer: real.issuer,
    subject: 'alice',
    name: 'alice',
    role: 'operator',
  });
  t.equal(await codeOf(ours.finish(back.search.slice(1), pending)), 'OIDC_NO_LOGIN', 'replayed');

  const other = await ours.begin(callback, '/');
  const stolen = back.searchParams.get('code') ?? '';
  const again = new URLSearchParams({ code: stolen, state: other.pending.state, iss: real.issuer });
  t.equal(await codeOf(ours.finish(`${again}`, other.pending)), 'OIDC_REFUSED', 'a used code');

  const mixed = await ours.begin(callback, '/');
  const late = await real.logIn(mixed.url, 'alice');
  t.equal(await codeOf(ours.finish(late.search.slice(1), pending)), 'OIDC_STATE_MISMATCH');
  late.searchParams.set('iss', 'https://evil.example');
  t.equal(await codeOf(ours.finish(late.search.slice(1), mixed.pending)), 'OIDC_ISSUER_MISMATCH');
  const silent = await ours.begin(callback, '/');
  const cut = await real.logIn(silent.url, 'alice');
  cut.searchParams.delete('iss');
  t.equal(await codeOf(ours.finish(cut.search.slice(1), silent.pending)), 'OIDC_ISSUER_MISMATCH');

  const wrong = await ours.begin(callback, '/');
  const answer = await real.logIn(wrong.url, 'alice');
  const guessed = { ...wrong.pending, verifier: 'a'.repeat(43) };
  t.equal(await codeOf(ours.finish(answer.search.slice(1), guessed)), 'OIDC_REFUSED', 'PKCE');
});

const double = await new ForgingOpenIdProviderDouble().start(t);

/** What a login ends with when the provider answers with this token. */
async function forged(
  change: (good: Record<string, unknown>) => Partial<ForgedToken>,
): Promise<string> {
  const ours = provider(double.issuer);
  const { pending } = await ours.begin(callback, '/');
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: double.issuer,
    aud: testClient.id,
    sub: 'alice',
    nonce: pending.nonce,
    iat: now,
    exp: now + 60,
  };
  double.token = { claims: good, ...change(good) };
  return await codeOf(ours.finish(`code=x&state=${pending.state}`, pending));
}

t.test('a token that is forged, stolen, stale or for others opens nothing', async (t) => {
  t.equal(await forged(() => ({})), 'none', 'as it should be, it would');
  const now = Math.floor(Date.now() / 1000);
  const cases: [what: string, change: object, code: string][] = [
    ['of another login', { nonce: 'other' }, 'OIDC_NONCE_MISMATCH'],
    ['without a nonce', { nonce: undefined }, 'OIDC_TOKEN_INVALID'],
    ['for another program', { aud: 'other' }, 'OIDC_AUDIENCE_MISMATCH'],
    ['for several programs', { aud: [testClient.id, 'other'] }, 'OIDC_AUDIENCE_MISMATCH'],
    ['of another provider', { iss: 'https://evil.example' }, 'OIDC_ISSUER_MISMATCH'],
    ['expired', { exp: now - 3600 }, 'OIDC_TOKEN_EXPIRED'],
    ['not valid yet', { nbf: now + 3600 }, 'OIDC_TOKEN_EXPIRED'],
    ['without a subject', { sub: undefined }, 'OIDC_TOKEN_INVALID'],
    ['without an end', { exp: undefined }, 'OIDC_TOKEN_INVALID'],
  ];
  for (const [what, change, code] of cases) {
    t.equal(await forged((good) => ({ claims: { ...good, ...change } })), code, what);
  }
  t.equal(await forged(() => ({ key: strangersKey() })), 'OIDC_TOKEN_INVALID', 'another key');
  t.equal(await forged(() => ({ algorithm: 'none' })), 'OIDC_TOKEN_INVALID', 'unsigned');
});

t.test('a provider that is away, refuses or lies about itself is named', async (t) => {
  t.equal(await codeOf(provider('http://127.0.0.1:1').begin(callback, '/')), 'OIDC_UNREACHABLE');
  double.claimedIssuer = 'https://evil.example';
  t.equal(await codeOf(provider(double.issuer).begin(callback, '/')), 'OIDC_ISSUER_MISMATCH');
  double.claimedIssuer = '';
  const ours = provider(double.issuer);
  const first = await ours.begin(callback, '/');
  const denied = `error=access_denied&state=${first.pending.state}`;
  t.equal(await codeOf(ours.finish(denied, first.pending)), 'OIDC_REFUSED');
  const second = await ours.begin(callback, '/');
  double.tokenAnswer = { status: 503, body: 'away' };
  const answer = `code=x&state=${second.pending.state}`;
  t.equal(await codeOf(ours.finish(answer, second.pending)), 'OIDC_UNREACHABLE');
  double.tokenAnswer = undefined;
  const before = double.asked.length;
  await ours.begin(callback, '/');
  t.equal(double.asked.length, before, 'what it says of itself is asked for once an hour');
  clock.now += 3_600_001;
  await ours.begin(callback, '/');
  t.equal(double.asked.length, before + 1);
});

t.test('server.yaml decides who of those that are proven may come in, and as what', async (t) => {
  const claims = (more: object) => ({ iss: 'https://a', sub: 'x', ...more }) as ProvenClaims;
  const with_ = (more: string) => settings('https://a.example', more);
  const strict = with_('  allowed_domains: [example.com]\n  default_role: viewer\n');
  const mail = (email: unknown, email_verified: unknown = true) =>
    codeOf(() => admit(claims({ email, email_verified }), strict));
  t.equal(await mail('a@example.com'), 'none');
  t.equal(await mail('a@EXAMPLE.com'), 'none');
  for (const bad of ['a@example.com.evil.org', 'example.com', 'a@sub.example.com', 7, undefined]) {
    t.equal(await mail(bad), 'OIDC_NOT_ALLOWED', String(bad));
  }
  t.equal(await mail('a@example.com', false), 'OIDC_NOT_ALLOWED', 'nobody verified it');
  t.equal(await mail('a@example.com', 'true'), 'OIDC_NOT_ALLOWED');

  const mapped = with_('  roles: ["root=admin", "ops=operator"]\n');
  t.equal(admit(claims({ groups: ['ops', 'root'] }), mapped).role, 'admin', 'the first that fits');
  t.equal(admit(claims({ groups: 'ops' }), mapped).role, 'operator');
  t.equal(await codeOf(() => admit(claims({ groups: ['Root'] }), mapped)), 'OIDC_NOT_ALLOWED');
  const grouped = with_('  allowed_groups: [staff]\n  default_role: none\n');
  t.equal(admit(claims({ groups: ['staff'] }), grouped).role, 'none');
  t.equal(
    await codeOf(() => admit(claims({ groups: { staff: true } }), grouped)),
    'OIDC_NOT_ALLOWED',
  );
  t.equal(await codeOf(() => admit(claims({ sub: '' }), strict)), 'OIDC_TOKEN_INVALID');
});

t.test('what the provider says of how it has proven somebody spares a code, if anything', (t) => {
  const isSpared = (more: string, told: object) => {
    const claims = { iss: 'https://a', sub: 'x', ...told } as ProvenClaims;
    return admit(claims, settings('https://a.example', `  default_role: viewer\n${more}`))
      .multiFactor;
  };
  t.equal(isSpared('', { amr: ['pwd', 'mfa'] }), true, 'RFC 8176');
  for (const amr of [undefined, [], ['pwd', 'otp'], 'mfa', { mfa: true }, [['mfa']]]) {
    t.equal(isSpared('', { amr }), false, JSON.stringify(amr));
  }
  t.equal(isSpared('', { acr: '2' }), false, 'what classes mean is not ours to guess');
  const classes = '  factor_acr: [gold, "2"]\n  factor_amr: [hwk]\n';
  t.equal(isSpared(classes, { acr: '2' }), true);
  t.equal(isSpared(classes, { acr: ['2'] }), false);
  t.equal(isSpared(classes, { amr: ['mfa'] }), false, 'the list is all that counts');
  t.equal(isSpared(classes, { amr: ['hwk'] }), true);
  t.equal(isSpared('  second_factor: always\n', { amr: ['mfa'] }), false);
  t.equal(isSpared('  second_factor: never\n', {}), true);
  t.throws(() => isSpared('  factor_amr: ["a b"]\n', {}), {
    code: 'CONFIG_INVALID_VALUE',
    message: /server\.yaml:6:/,
  });
  t.end();
});

t.test('the provider is asked for the classes that server.yaml wants', async (t) => {
  const acr = async (more: string) =>
    new URL((await provider(double.issuer, more).begin(callback, '/')).url).searchParams.get(
      'acr_values',
    );
  t.equal(await acr(''), null);
  t.equal(await acr('  factor_acr: [gold, "2"]\n'), 'gold 2');
});

t.test('whatever a provider calls somebody, the account has a name of ours', (t) => {
  t.equal(accountName('Alice.Liddell@example.com'), 'alice.liddell');
  t.equal(accountName('42-Bob'), 'bob');
  fc.assert(
    fc.property(fc.string(), (text) => /^([a-z][a-z0-9._-]{0,62})?$/.test(accountName(text))),
  );
  t.end();
});

t.test('what the browser carries cannot be read, changed, kept or swapped', (t) => {
  const pendings = new PendingLogins();
  const pending = {
    state: 's',
    nonce: 'the nonce',
    verifier: 'v',
    redirectUri: callback,
    next: '/',
    expiresAtMs: 100,
  };
  const [cookie = ''] = pendings.cookie(pending).split(';');
  t.same(pendings.open(`a=b; ${cookie}`, 99), pending);
  t.equal(pendings.open(cookie, 100), undefined, 'it ends');
  t.equal(new PendingLogins().open(cookie, 0), undefined, 'another server');
  t.equal(pendings.open(`${cookie}; ${cookie}`, 0), undefined, 'two are none');
  t.notMatch(Buffer.from(cookie.split('=')[1] ?? '', 'base64url').toString('latin1'), 'nonce');
  const sealed = cookie.slice(cookie.indexOf('=') + 1);
  fc.assert(
    fc.property(
      fc.nat({ max: sealed.length - 2 }),
      fc.constantFrom('A', 'B', 'x'),
      (at, letter) => {
        const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
        if (changed === sealed) return true;
        return pendings.open(`__Host-vigo_oidc=${changed}`, 0) === undefined;
      },
    ),
  );
  t.end();
});
