import t from 'tap';
import { Challenges, challengeLimit } from '../../../actors/accounts/challenges.ts';
import { argon2Passwords, passwordProblem } from '../../../actors/accounts/password.ts';
import { makeRecoveryCodes, recoveryHash } from '../../../actors/accounts/recovery-codes.ts';
import { changesProblem, nameProblem } from '../../../actors/accounts/rules.ts';
import { base32, matchTotp, totpCode, totpUri } from '../../../actors/accounts/totp.ts';
import { secretSeal } from '../../../actors/accounts/totp-seal.ts';
import { base32Bytes } from '../../end-to-end/support/base32.ts';
import { fc } from '../../support/property.ts';

const secret = Buffer.from('12345678901234567890');

t.test('codes are those of RFC 6238, appendix B', (t) => {
  const vectors: [atSeconds: number, code: string][] = [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ];
  for (const [seconds, code] of vectors) {
    t.equal(totpCode(secret, Math.floor(seconds / 30)), code);
    t.equal(matchTotp(secret, code, seconds * 1000, 0), Math.floor(seconds / 30));
  }
  t.end();
});

t.test('a code is taken a step early or late, and never again', (t) => {
  const nowMs = 1_000_000_000_000;
  const step = Math.floor(nowMs / 30_000);
  for (const drift of [-1, 0, 1]) {
    t.equal(matchTotp(secret, totpCode(secret, step + drift), nowMs, 0), step + drift);
  }
  for (const drift of [-2, 2]) {
    t.equal(matchTotp(secret, totpCode(secret, step + drift), nowMs, 0), undefined);
  }
  t.equal(matchTotp(secret, totpCode(secret, step), nowMs, step), undefined, 'it was used');
  t.equal(
    matchTotp(secret, totpCode(secret, step - 1), nowMs, step),
    undefined,
    'nor an older one',
  );
  const spaced = totpCode(secret, step).replace(/(...)/, '$1 ');
  t.equal(matchTotp(secret, spaced, nowMs, 0), step, 'as apps show it');
  for (const odd of ['', '12345', '1234567', 'abcdef', '１２３４５６']) {
    t.equal(matchTotp(secret, odd, nowMs, 0), undefined, odd);
  }
  t.end();
});

t.test('what the app reads is what the server keeps', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) =>
      Buffer.from(bytes).equals(base32Bytes(base32(bytes))),
    ),
  );
  t.equal(base32(Buffer.from('foobar')), 'MZXW6YTBOI', 'RFC 4648');
  t.equal(
    totpUri(secret, 'ada', 'Vigo prod 1'),
    'otpauth://totp/Vigo%20prod%201:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vigo%20prod%201',
  );
  t.end();
});

t.test('a sealed secret opens for its account and its server only', (t) => {
  const seal = secretSeal('a key');
  const sealed = seal.seal(secret, 'account', new Uint8Array(12));
  t.same(Buffer.from(seal.open(sealed, 'account')), secret);
  t.notMatch(Buffer.from(sealed, 'base64url').toString('latin1'), secret.toString('latin1'));
  t.throws(() => seal.open(sealed, 'another account'), 'copied to another row');
  t.throws(() => secretSeal('another key').open(sealed, 'account'));
  t.end();
});

t.test('recovery codes are many, long, and found however they are typed', (t) => {
  let next = 0;
  const codes = makeRecoveryCodes((count) => {
    next += 7;
    return new Uint8Array(count).fill(next);
  });
  t.equal(new Set(codes.map(recoveryHash)).size, 10);
  const [code = ''] = codes;
  t.match(code, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
  t.equal(recoveryHash(` ${code.toUpperCase().replaceAll('-', ' ')} `), recoveryHash(code));
  t.end();
});

t.test('a challenge is one login: some tries, some minutes, and it ends with its account', (t) => {
  const challenges = new Challenges();
  challenges.add('one', 'ada', 'oidc', 0);
  const tries = Array.from({ length: 7 }, () => challenges.try('one', 1)?.accountId);
  t.same(tries, ['ada', 'ada', 'ada', 'ada', 'ada', undefined, undefined]);
  challenges.add('two', 'ada', 'oidc', 0);
  t.equal(challenges.try('two', 300_000), undefined, 'over');
  challenges.add('three', 'ada', 'password', 0);
  challenges.endOf('ada');
  t.equal(challenges.try('three', 0), undefined, 'the password changed meanwhile');
  for (let at = 0; at <= challengeLimit; at++) challenges.add(`flood ${at}`, 'eve', 'password', 0);
  t.equal(challenges.try('flood 0', 0), undefined, 'the oldest makes room');
  t.match(challenges.try(`flood ${challengeLimit}`, 0), { accountId: 'eve', proof: 'password' });
  t.equal(challenges.try('never', 0), undefined);
  t.end();
});

t.test('passwords: length counts, and the first that are tried are refused', async (t) => {
  const bad = ['short', 'password1234', 'Passwort2026!', '123456789012', 'aaaaaaaaaaaaaa'];
  for (const text of [...bad, 'Qwertyuiop123', 'grace.hopper', 'x'.repeat(201)]) {
    t.type(passwordProblem(text, 'grace.hopper'), 'string', text);
  }
  for (const text of ['otter balcony prism 42', 'kein schöner land', '猫が好きですからね本当に']) {
    t.equal(passwordProblem(text, 'grace'), undefined, text);
  }
  const passwords = argon2Passwords();
  const hash = await passwords.hash('kein schöner land'.normalize('NFD'));
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, 'OWASP parameters');
  t.ok(await passwords.verify('kein schöner land'.normalize('NFC'), hash), 'another keyboard');
  t.notOk(await passwords.verify('kein schoner land', hash));
});

t.test('names look like no other, and changes are refused with a reason', (t) => {
  for (const name of ['local', 'server', 'Ada', 'a b', '', '../x', 'а', 'x'.repeat(64), '1st']) {
    t.type(nameProblem(name), 'string', name);
  }
  t.equal(nameProblem('grace.hopper-2'), undefined);
  const grant = (envoys: string) => ({ grants: [{ role: 'viewer' as const, envoys }] });
  const bad = [
    { displayName: 'x'.repeat(201) },
    { displayName: 'a\u001b[31m' },
    { email: 'nobody' },
    { role: 'root' as 'admin' },
    { grants: [{ role: 'none' as 'admin', envoys: '*' }] },
    grant(''),
    grant('a b'),
    grant('os.family=<x'.padEnd(1200, 'y')),
    { grants: Array.from({ length: 101 }, () => ({ role: 'viewer' as const, envoys: '*' })) },
  ];
  for (const changes of bad)
    t.type(changesProblem(changes), 'string', JSON.stringify(changes).slice(0, 60));
  for (const envoys of ['web-*', 'os.family=debian', 'web-*,os.family=debian']) {
    t.equal(changesProblem(grant(envoys)), undefined, envoys);
  }
  t.end();
});
