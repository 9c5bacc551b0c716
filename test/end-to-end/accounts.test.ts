import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import t from 'tap';
import { totpCode, totpStepAt } from '../../actors/accounts/totp.ts';
import { programFile } from '../support/program.ts';
import { base32Bytes } from './support/base32.ts';
import { TestDatabase } from './support/database.ts';
import { TestServer } from './support/server-process.ts';
import { Browser, send } from './support/web-client.ts';

t.setTimeout(180_000);
const server = await TestServer.make(t);
await server.provision(2);
await server.start();
const password = 'otter balcony prism 42';

/** As `vigosrv setup-code` prints it. */
function setupCode(): { status: number | null; out: string; complaint: string } {
  const args = [programFile('actors/server/main'), 'setup-code', '--home', server.directory];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...args],
    { encoding: 'utf8' },
  );
  return { status, out: stdout.trim(), complaint: stderr };
}

const ada = new Browser(server);

t.test(
  'D15: only who sees the console becomes the first administrator, and only once',
  async (t) => {
    t.same((await send(server, 'GET', '/api/v1/setup')).body, { needed: true });
    const { out: code, status } = setupCode();
    t.equal(status, 0);
    t.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    t.match(server.output, code, 'the console shows it');
    t.equal(statSync(server.home.layout.setupCode).mode & 0o777, 0o600);
    const wanted = { name: 'ada', displayName: 'Ada L.', password };
    const wrong = await ada.send('POST', '/api/v1/setup', {
      ...wanted,
      code: 'aaaa-aaaa-aaaa-aaaa',
    });
    t.match(wrong, { status: 403, body: { code: 'ACCOUNT_SETUP_REFUSED' } });
    const weak = await ada.send('POST', '/api/v1/setup', {
      ...wanted,
      code,
      password: 'password1234',
    });
    t.match(weak, { status: 400, body: { code: 'ACCOUNT_PASSWORD_WEAK' } });
    const made = await ada.send('POST', '/api/v1/setup', {
      ...wanted,
      code: ` ${code.toUpperCase()}`,
    });
    t.match(made, { status: 200, body: { name: 'ada' } });
    t.match(
      String(made.headers['set-cookie']),
      /^__Host-vigo_session=vgos_[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=\d+$/,
    );
    t.notMatch(JSON.stringify(made.body), /vgos_/, 'no script of a page can read the token');
    t.match((await ada.send('GET', '/api/v1/session')).body, {
      name: 'ada',
      role: 'admin',
      by: 'admin:ada',
    });
    const again = await new Browser(server).send('POST', '/api/v1/setup', {
      ...wanted,
      name: 'eve',
      code,
    });
    t.match(again, { status: 409, body: { code: 'ACCOUNT_SETUP_DONE' } });
    t.notOk(existsSync(server.home.layout.setupCode));
    t.match(setupCode(), { status: 1, complaint: /ACCOUNT_SETUP_DONE/ });
    t.same((await send(server, 'GET', '/api/v1/setup')).body, { needed: false });
  },
);

t.test('a login is a session that ends at logout, for every copy of the cookie', async (t) => {
  const browser = new Browser(server);
  for (const wrong of [
    { name: 'ada', password: 'wrong' },
    { name: 'nobody', password },
  ]) {
    const refused = await browser.send('POST', '/api/v1/session', wrong);
    t.match(refused, { status: 401, body: { code: 'ACCOUNT_LOGIN_FAILED' } }, 'no word on which');
  }
  t.equal((await browser.send('POST', '/api/v1/session', { name: 'ada', password })).status, 200);
  const stolen = browser.cookie;
  const headers = { cookie: stolen };
  t.equal((await send(server, 'GET', '/api/v1/envoys', { headers })).status, 200);
  const write = { headers, body: { match: ['x'] } };
  const foreign = { ...headers, 'sec-fetch-site': 'cross-site' };
  for (const each of [
    write,
    { ...write, headers: foreign },
    { ...write, headers: { ...headers, origin: 'https://evil.example' } },
  ]) {
    const refused = await send(server, 'POST', '/api/v1/tokens', each);
    t.match(refused, { status: 403, body: { code: 'API_CROSS_SITE' } });
  }
  const own = await browser.send('GET', '/api/v1/account/sessions');
  t.match(own.body.items, [
    { method: 'password', current: true, userAgent: 'test browser' },
    { method: 'setup' },
  ]);
  t.equal((await browser.send('DELETE', '/api/v1/session')).status, 200);
  t.equal(browser.cookie, '', 'the browser forgets it');
  const late = await send(server, 'GET', '/api/v1/envoys', { headers });
  t.match(late, { status: 401, body: { code: 'API_UNAUTHENTICATED', detail: /ended/ } });
});

t.test('a second factor is asked for, and no code works twice', async (t) => {
  const begun = await ada.send('POST', '/api/v1/account/totp', { current: password });
  t.match(begun.body, { uri: /^otpauth:\/\/totp\/Vigo/ });
  const secret = base32Bytes(String(begun.body.secret));
  const step = totpStepAt(Date.now());
  const confirmed = await ada.send('POST', '/api/v1/account/totp/confirm', {
    code: totpCode(secret, step),
  });
  const codes = confirmed.body.recoveryCodes as string[];
  t.equal(codes.length, 10);
  const [recovery = ''] = codes;
  const challenge = async (browser: Browser) =>
    (await browser.send('POST', '/api/v1/session', { name: 'ada', password })).body.challenge;
  const enter = async (browser: Browser, code: () => string) => {
    const asked = { challenge: await challenge(browser) };
    // Only now: a login may take a while, and a code is good for a minute.
    const answer = { ...asked, code: code() };
    return await browser.send('POST', '/api/v1/session/second-factor', answer);
  };
  const browser = new Browser(server);
  t.match(
    await enter(browser, () => totpCode(secret, step)),
    { status: 401, body: { code: 'ACCOUNT_LOGIN_FAILED' } },
    'used for the enrolment',
  );
  t.equal(browser.cookie, '', 'a password alone is no session');
  t.equal((await browser.send('GET', '/api/v1/session')).status, 401);
  let used = '';
  const next = () => {
    used = totpCode(secret, Math.max(step + 1, totpStepAt(Date.now())));
    return used;
  };
  t.match(await enter(browser, next), { status: 200 });
  t.match(await enter(new Browser(server), () => used), { status: 401 });
  t.match(await enter(new Browser(server), () => recovery), { status: 200 });
  t.match(await enter(new Browser(server), () => recovery), { status: 401 });
  t.match((await ada.send('GET', '/api/v1/session')).body, { totp: true, recoveryCodesLeft: 9 });
  const rows = new TestDatabase(server.home.layout.database).rows('SELECT * FROM accounts');
  for (const shown of [password, String(begun.body.secret), recovery]) {
    t.notMatch(JSON.stringify(rows), shown, 'the database holds nothing that logs in');
  }
  t.match(rows, [{ password_hash: /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/ }]);
});

/** A person with a password of their own. */
async function person(name: string, rest: object): Promise<Browser> {
  const made = await ada.send('POST', '/api/v1/users', { name, ...rest });
  t.equal(made.status, 200, JSON.stringify(made.body));
  const browser = new Browser(server);
  const first = String(made.body.password);
  await browser.send('POST', '/api/v1/session', { name, password: first });
  const due = await browser.send('GET', '/api/v1/envoys');
  t.match(due, { status: 403, body: { code: 'API_PASSWORD_CHANGE_DUE' } });
  const before = browser.cookie;
  const change = { current: first, next: password };
  t.equal((await browser.send('POST', '/api/v1/account/password', change)).status, 200);
  t.not(browser.cookie, before);
  t.equal(
    (await send(server, 'GET', '/api/v1/session', { headers: { cookie: before } })).status,
    401,
  );
  t.equal((await browser.send('GET', '/api/v1/session')).status, 200);
  return browser;
}

t.test('whatever takes a right away ends the sessions that had it, at once', async (t) => {
  const grace = await person('grace', { role: 'operator' });
  const mine = { name: 'grace-laptop', expiresInMs: 3_600_000, permissions: ['envoys.read'] };
  const { token } = (await grace.send('POST', '/api/v1/account/tokens', mine)).body;
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  t.match((await send(server, 'GET', '/api/v1/session', bearer)).body, {
    by: 'admin:grace',
    permissions: ['access.self', 'envoys.read'],
  });
  for (const taken of ['grace', 'ada']) {
    const posed = await ada.send('POST', '/api/v1/auth/tokens', { name: taken, role: 'approver' });
    t.match(posed, { status: 409, body: { code: 'ACCESS_NAME_TAKEN' } }, 'no token poses as her');
  }
  const users = '/api/v1/users/grace';
  const acts: [method: string, path: string, body?: unknown][] = [
    ['PUT', users, { role: 'viewer' }],
    ['PUT', users, { grants: [{ role: 'operator', envoys: 'web-*' }] }],
    ['DELETE', `${users}/sessions`],
    ['POST', `${users}/disable`, {}],
  ];
  for (const [method, path, body] of acts) {
    t.equal((await grace.send('POST', '/api/v1/session', { name: 'grace', password })).status, 200);
    t.equal((await ada.send(method, path, body)).status, 200, path);
    t.match(await grace.send('GET', '/api/v1/session'), { status: 401 }, `${method} ${path}`);
  }
  t.match(await send(server, 'GET', '/api/v1/envoys', bearer), {
    status: 401,
    body: { detail: /disabled/ },
  });
  const refused = await grace.send('POST', '/api/v1/session', { name: 'grace', password });
  t.match(
    refused,
    { status: 403, body: { code: 'ACCOUNT_DISABLED' } },
    'only who knows the password is told',
  );
  await ada.send('POST', `${users}/enable`, {});
  t.equal((await send(server, 'GET', '/api/v1/envoys', bearer)).status, 200);
  const reset = await ada.send('POST', `${users}/password`, {});
  t.match(await grace.send('POST', '/api/v1/session', { name: 'grace', password }), {
    status: 401,
  });
  t.match(String(reset.body.password), /^[a-z2-7-]{20,}$/);
  t.equal((await ada.send('DELETE', users)).status, 200);
  t.match(await send(server, 'GET', '/api/v1/envoys', bearer), { status: 401 });
  const again = await ada.send('POST', '/api/v1/users', { name: 'grace', role: 'admin' });
  t.match(again, { status: 409, body: { code: 'ACCOUNT_NAME_TAKEN' } }, 'the log means one grace');
});

t.test('the last administrator stays', async (t) => {
  for (const [method, path, body] of [
    ['POST', '/api/v1/users/ada/disable', {}],
    ['DELETE', '/api/v1/users/ada', undefined],
    ['PUT', '/api/v1/users/ada', { role: 'viewer' }],
  ] as const) {
    t.match(await ada.send(method, path, body), {
      status: 409,
      body: { code: 'ACCOUNT_LAST_ADMIN' },
    });
  }
});

t.test('a grant shows and changes its own envoys only', async (t) => {
  const grants = [{ role: 'admin', envoys: 'host-0' }];
  const ida = await person('ida', { role: 'none', grants });
  const hosts = (await ida.send('GET', '/api/v1/envoys')).body.items as { hostname: string }[];
  t.same(
    hosts.map(({ hostname }) => hostname),
    ['host-0'],
  );
  t.match((await ida.send('GET', '/api/v1/envoys/host-0')).status, 200);
  const forbidden = { status: 403, body: { code: 'API_FORBIDDEN' } };
  t.match(await ida.send('GET', '/api/v1/envoys/host-1'), forbidden);
  t.match(await ida.send('GET', '/api/v1/runs?envoy=host-1'), forbidden);
  t.match(await ida.send('POST', '/api/v1/envoys/host-1/revoke', { reason: 'no' }), forbidden);
  t.match(await ida.send('POST', '/api/v1/tokens', { match: ['host-0'] }), forbidden);
  t.match(await ida.send('POST', '/api/v1/users', { name: 'eve', role: 'admin' }), forbidden);
  t.match(await ida.send('POST', '/api/v1/envoys/host-0/revoke', { reason: 'gone' }), {
    status: 200,
  });
  t.match((await ida.send('GET', '/api/v1/session')).body, {
    role: 'none',
    permissions: ['access.self'],
  });
});

t.test('a session ends when nobody uses it, and when its day is over', async (t) => {
  const bob = await person('bob', { role: 'viewer' });
  const database = new Database(server.home.layout.database);
  t.teardown(() => database.close());
  const later: [column: string, words: RegExp][] = [
    ['last_used_ms', /not used/],
    ['expires_at_ms', /expired/],
  ];
  for (const [column, words] of later) {
    await bob.send('POST', '/api/v1/session', { name: 'bob', password });
    t.equal((await bob.send('GET', '/api/v1/session')).status, 200);
    const pass = database.prepare(
      `UPDATE sessions SET ${column} = 1 WHERE ended_at_ms IS NULL
       AND account_id = (SELECT id FROM accounts WHERE name = 'bob')`,
    );
    // The server may still be noting the use before.
    const untilMs = Date.now() + 60_000;
    let answer = await bob.send('GET', '/api/v1/session');
    while (answer.status === 200 && Date.now() < untilMs) {
      pass.run();
      answer = await bob.send('GET', '/api/v1/session');
    }
    t.match(answer, { status: 401, body: { detail: words } });
  }
});

t.test('guessing gets slower, and alike for names that nobody has', async (t) => {
  await person('mallory', { role: 'viewer' });
  /** Until it has to wait; each name from an address of its own. */
  const guess = async (name: string, from: string) => {
    const codes: unknown[] = [];
    for (let tries = 0; tries < 20 && codes.at(-1) !== 'ACCOUNT_LOGIN_WAIT'; tries++) {
      const wrong = { name, password: `guess ${tries}` };
      const { body, headers } = await send(server, 'POST', '/api/v1/session', {
        body: wrong,
        from,
      });
      codes.push(body.code);
      if (body.code === 'ACCOUNT_LOGIN_WAIT') t.match(headers['retry-after'], /^\d+$/);
    }
    return codes;
  };
  const known = await guess('mallory', '127.0.0.2');
  const unknown = await guess('nobody-at-all', '127.0.0.3');
  t.same(new Set(known), new Set(['ACCOUNT_LOGIN_FAILED', 'ACCOUNT_LOGIN_WAIT']));
  t.same(new Set(unknown), new Set(known));
  const types = new TestDatabase(server.home.layout.database).auditTypes();
  for (const type of [
    'setup_done',
    'login_failed',
    'logged_in',
    'logged_out',
    'created',
    'changed',
    'disabled',
    'totp_enabled',
    'recovery_used',
    'password_changed',
    'password_reset',
    'deleted',
  ]) {
    t.ok(types.includes(`account.${type}`), type);
  }
});
