import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { totpCode, totpStepAt } from '../../actors/accounts/totp.ts';
import { buildProgram } from '../../admin/cli/program.ts';
import { pkceChallenge } from '../../admin/login/program-login.ts';
import { openIdProvider } from '../support/openid-provider.ts';
import { OpenSsh } from '../support/openssh.ts';
import { programFile } from '../support/program.ts';
import { requires } from '../support/requires.ts';
import { base32Bytes } from './support/base32.ts';
import { eventually } from './support/database.ts';
import { shellWithVigocli } from './support/documented-commands.ts';
import { serverWithProvider } from './support/oidc-server.ts';
import { Browser, send } from './support/web-client.ts';

t.setTimeout(180_000);

const page = readFileSync(new URL('../../docs/login.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text]) => text ?? '',
  );

/** Its fingerprint has a "/" and a "+". */
const slashedKey = '0dd1c1139f9b0c2c92834df116bedc300a4281d72ff70af48ee8ebae6a791398';
const callback = 'https://vigo.example.com/api/v1/login/oidc/callback';
const mail = { email: 'x@example.com', email_verified: true };
const provider = await openIdProvider(
  t,
  {
    carol: { preferred_username: 'Carol', name: 'Carol C.', groups: ['ops'], ...mail },
    ada: { preferred_username: 'ada', groups: ['ops'], ...mail },
    eve: { preferred_username: 'eve', groups: ['guests'], ...mail },
    judy: { preferred_username: 'j', groups: ['ops'], ...mail },
    'judy-twice': { preferred_username: 'j', groups: ['ops'], amr: ['pwd', 'mfa'], ...mail },
    mallory: { preferred_username: 'm', groups: ['ops'], ...mail, email_verified: false },
  },
  [callback],
);
const { server, work } = await serverWithProvider(t, provider.issuer, [
  `oidc.redirect_url=${callback}`,
  'oidc.roles=ops=operator',
  'oidc.allowed_domains=example.com',
  'oidc.auto_provision=on',
  'api.requests_burst=501',
]);
await server.start();
copyFileSync(server.home.layout.caCertificate, join(work, 'ca.cert.pem'));
const shell = shellWithVigocli(work, server.directory);
const adminToken = readFileSync(server.home.layout.adminToken, 'utf8').trim();
const local = { authorization: `Bearer ${adminToken}` };

// Most commands run in this process: starting one for each would take most of the test's time.
process.chdir(work);
Object.assign(process.env, { HOME: work, VIGO_HOME: server.directory });
for (const name of ['XDG_CONFIG_HOME', 'VIGO_CONTEXT', 'VIGO_SERVER', 'VIGO_TOKEN_FILE']) {
  delete process.env[name];
}

/** A line of the page, or a command of the test; what it printed. */
async function run(line: string): Promise<string> {
  const [command = '', file] = line.split(' > ');
  if (!command.startsWith('vigocli ')) {
    const { code, output } = await shell(line);
    if (code !== 0) throw new Error(`${line}: ${output}`);
    return output;
  }
  const words = (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  let printed = '';
  const write = (text: string) => {
    printed += text;
  };
  await buildProgram({ indent: 2, write }).parseAsync(['node', ...words]);
  if (file !== undefined) writeFileSync(file, printed);
  return printed;
}

const addressForm = /^ {2}(https:\/\/\S+)$/m;

/** A vigocli of its own, and somebody who opens the address that it prints. */
async function runWithBrowser(
  line: string,
  person: string,
  brings: (handed: Handed, child: ChildProcess) => unknown = ({ address }) => fetch(address),
  terminal: readonly string[] = [],
): Promise<string> {
  const [, ...words] = line.split(' ');
  const command = [process.execPath, programFile('admin/cli/main'), ...words];
  const child =
    terminal.length === 0
      ? spawn(process.execPath, command.slice(1))
      : spawn('script', [...terminal, command.join(' '), '/dev/null']);
  let printed = '';
  const take = (chunk: Buffer) => {
    printed += chunk.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = once(child, 'close');
  t.ok(await eventually(() => addressForm.test(printed) || child.exitCode !== null));
  const [, address = ''] = addressForm.exec(printed) ?? [];
  if (address === '') throw new Error(printed);
  const { pathname, search } = new URL(address);
  t.match(address, /^https:\/\/vigo\.example\.com\//, 'the name that the provider knows');
  const { answer } = await throughProvider(person, pathname + search);
  await brings(answer.body as unknown as Handed, child);
  await ended;
  return printed;
}

/** What the page shows to a person after the provider, as a program gets it. */
interface Handed {
  readonly account: string;
  readonly code: string;
  readonly address: string;
}

interface Event {
  readonly type: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the audit log says of refused logins, newest first. */
async function refusals(): Promise<Event['details'][]> {
  const query = 'type=account.login_refused&limit=100';
  const answer = await send(server, 'GET', `/api/v1/audit?${query}`, { headers: local });
  return (answer.body.items as Event[]).map(({ details }) => details);
}

const skip = requires('command:ssh-keygen', 'command:ssh-agent');
t.test('docs/login.md: its commands do what it says, in their order', { skip }, async (t) => {
  const lines = blocks('sh').flatMap((block) => block.trimEnd().split('\n'));
  t.ok(lines.length >= 25);
  for (const line of lines) {
    const here = line.replaceAll('vigo.example.com:8443', `127.0.0.1:${server.run?.apiPort}`);
    const output = line.includes('--oidc') ? await runWithBrowser(here, 'carol') : await run(here);
    if (line === 'vigocli auth logout') {
      t.match(output, /The session has ended/);
      t.match(await run('vigocli auth status --json'), /"kind": "local token"/);
    }
    if (line.includes('auth status')) t.match(output, /By: +session/);
    if (line.includes('auth login')) {
      const context = line.includes('--context prod') ? 'prod' : 'default';
      const file = join(work, `.config/vigo/logins/${context}.json`);
      t.equal(statSync(file).mode & 0o777, 0o600, 'nobody else reads the token');
    }
    if (line.includes('users list-keys')) t.match(output, /SHA256:.*grace@laptop/);
    if (line.includes('context list')) t.match(output, /prod +127\.0\.0\.1:\d+ +grace/);
    if (line.includes('account.logged_in')) t.match(output, /account\.logged_in/);
  }
});

const noTerminal = requires('command:script');
t.test('who has the browser elsewhere pastes its code', { skip: noTerminal }, async (t) => {
  const pastes = ({ code }: Handed, { stdin }: ChildProcess) => stdin?.write(`${code}\n`);
  const line = 'vigocli auth login --oidc --no-browser';
  const output = await runWithBrowser(line, 'carol', pastes, ['-qec']);
  t.match(output, /You are carol at/);
  await run('vigocli auth logout');
});

t.test('docs/login.md: its section of server.yaml has only keys that there are', async (t) => {
  const { oidc } = parse(blocks('yaml')[0] ?? '') as { oidc: object };
  const text = readFileSync(join(server.directory, 'server.yaml'), 'utf8');
  const own = text.slice(text.indexOf('\noidc:'));
  for (const key of Object.keys(oidc)) t.match(own, `#${key}:`, key);
});

t.test('a key opens one session by one challenge, and no other account', { skip }, async (t) => {
  const ssh = new OpenSsh(t);
  const key = ssh.key('heidi');
  const post = (path: string, body: object, headers = {}) =>
    send(server, 'POST', path, { body, headers });
  for (const name of ['heidi', 'ivan']) {
    const made = { name, role: 'viewer', noPassword: true };
    t.equal((await post('/api/v1/users', made, local)).status, 200);
  }
  const line = { key: ssh.publicLine(key) };
  t.match(await post('/api/v1/users/heidi/keys', line, local), { status: 200 });
  const taken = await post('/api/v1/users/ivan/keys', line, local);
  t.match(taken, { status: 409, body: { code: 'FEDERATION_KEY_TAKEN' } }, 'one key, one person');
  const token = { key: ssh.publicLine(ssh.key('other')) };
  const own = await post('/api/v1/account/keys', token, local);
  t.match(own, { status: 403 }, 'a token gives itself no key');

  const challenge = async (account: string) => {
    const { body } = await post('/api/v1/login/challenge', { account });
    const { challenge, seal } = body as { challenge: string; seal: string };
    return { challenge, seal };
  };
  const proof = (given: { challenge: string; seal: string }, account = 'heidi', file = key) => ({
    ...given,
    account,
    sshSignatures: [ssh.sign(file, given.challenge, 'vigo-login')],
    as: 'token',
  });
  const good = proof(await challenge('heidi'));
  const opened = await post('/api/v1/login/key', good);
  t.match(opened, { status: 200, body: { name: 'heidi', token: /^vgos_/ } });
  const bearer = { authorization: `Bearer ${String(opened.body.token)}` };
  t.match((await send(server, 'GET', '/api/v1/session', { headers: bearer })).body, {
    name: 'heidi',
    role: 'viewer',
  });

  const refused = async (body: object, code: string, what: string) =>
    t.match(await post('/api/v1/login/key', body), { status: 401, body: { code } }, what);
  await refused(good, 'LOGIN_CHALLENGE_INVALID', 'replayed');
  const ofIvan = await challenge('ivan');
  await refused(proof(ofIvan, 'ivan'), 'LOGIN_KEY_REFUSED', 'the key of somebody else');
  await refused(proof(ofIvan), 'LOGIN_CHALLENGE_INVALID', 'the challenge of somebody else');
  const nobody = proof(await challenge('nobody'), 'nobody');
  await refused(nobody, 'LOGIN_KEY_REFUSED', 'as for an account that there is');
  const unknown = proof(await challenge('heidi'), 'heidi', ssh.key('stranger'));
  await refused(unknown, 'LOGIN_KEY_REFUSED', 'an unknown key');
  const forged = await challenge('heidi');
  const changed = { ...forged, challenge: forged.challenge.replace('nonce: ', 'nonce: x') };
  await refused(proof(changed), 'LOGIN_CHALLENGE_INVALID', 'a challenge of one’s own');
  const bare = { ...(await challenge('heidi')), account: 'heidi', sshSignatures: [] };
  await refused(bare, 'LOGIN_SIGNATURE_INVALID', 'no signature');
  const file = { ...proof(await challenge('heidi')) };
  file.sshSignatures = [ssh.sign(key, file.challenge, 'file')];
  await refused(file, 'LOGIN_SIGNATURE_INVALID', 'a signature for something else');
  t.match(await refusals(), [{ method: 'ssh-key' }], 'the audit log knows of it');

  const path = '/api/v1/users/heidi/keys';
  const bad = { key: slashedKey, comment: 'its fingerprint is no part of a path' };
  t.match(await post(path, bad, local), { status: 200, body: { fingerprint: /\/.*\+/ } });
  const { body: listed } = await send(server, 'GET', path, { headers: local });
  for (const { fingerprint } of listed.items as { fingerprint: string }[]) {
    t.match(await run(`vigocli users remove-key heidi ${fingerprint}`), fingerprint);
  }
  await refused(proof(await challenge('heidi')), 'LOGIN_KEY_REFUSED', 'a key that was removed');
});

/** Recovery codes that judy has not used yet. */
const judysCodes: string[] = [];

t.test('vigocli asks for the second factor of who has one', { skip }, async (t) => {
  const name = 'judy';
  const given = 'otter balcony prism 42';
  const body = { name, role: 'viewer', password: given };
  await send(server, 'POST', '/api/v1/users', { body, headers: local });
  const browser = new Browser(server);
  await browser.send('POST', '/api/v1/session', { name, password: given });
  const password = 'plum window seven kites';
  await browser.send('POST', '/api/v1/account/password', { current: given, next: password });
  const begun = await browser.send('POST', '/api/v1/account/totp', { current: password });
  const code = totpCode(base32Bytes(String(begun.body.secret)), totpStepAt(Date.now()));
  const confirmed = await browser.send('POST', '/api/v1/account/totp/confirm', { code });
  judysCodes.push(...(confirmed.body.recoveryCodes as string[]));
  const recovery = judysCodes.pop() ?? '';
  writeFileSync(join(work, 'judy.password'), `${password}\n`);
  const login = 'vigocli --no-input auth login --name judy --password-file judy.password';
  await t.rejects(run(login), { code: 'CLI_USAGE', message: /--code CODE/ });
  await t.rejects(run(`${login} --code 000000`), { message: /code is wrong/ });
  t.match(await run(`${login} --code ${recovery}`), /You are judy at home:/);
  const first = readFileSync(join(work, '.config/vigo/logins/default.json'), 'utf8');
  const { token } = JSON.parse(first) as { token: string };
  const ssh = new OpenSsh(t);
  const key = ssh.key('judy');
  await run(`vigocli auth add-key ${key}.pub`);
  await run('vigocli auth logout');
  const byKey = `vigocli --no-input auth login --name judy --ssh-key ${key}`;
  await t.rejects(run(byKey), { code: 'CLI_USAGE', message: /--code CODE/ }, 'a key is one factor');
  t.match(await run(`${byKey} --code ${judysCodes.pop()}`), /You are judy at home:/);
  t.match(await run('vigocli auth list-sessions --json'), /"method": "ssh-key\+totp"/);
  await run('vigocli auth logout');
  const headers = { authorization: `Bearer ${token}` };
  const late = await send(server, 'GET', '/api/v1/session', { headers });
  t.match(late, { status: 401, body: { code: 'API_UNAUTHENTICATED' } }, 'it has really ended');
});

t.test('who has no password turns the second factor on after a login', { skip }, async (t) => {
  const name = 'ivan';
  const body = { name, role: 'viewer', noPassword: true };
  await send(server, 'POST', '/api/v1/users', { body, headers: local });
  const ssh = new OpenSsh(t);
  const key = ssh.key(name);
  await run(`vigocli users add-key ivan ${key}.pub`);
  const login = `vigocli --no-input auth login --name ivan --ssh-key ${key}`;
  await run(login);
  const secret = /^ {2}([A-Z2-7]{20,})$/m.exec(await run('vigocli --no-input auth enable-totp'));
  const code = totpCode(base32Bytes(secret?.[1] ?? ''), totpStepAt(Date.now()));
  const recovery = await run(`vigocli --no-input auth enable-totp --code ${code}`);
  await run('vigocli auth logout');
  await t.rejects(run(login), { code: 'CLI_USAGE', message: /--code CODE/ });
  t.match(await run(`${login} --code ${recovery.split('\n')[0]}`), /You are ivan at home:/);
  await run('vigocli auth logout');
});

interface KeyLogin {
  register(account: string, comment: string): Promise<{ fingerprint: string }>;
  login(account: string): Promise<unknown>;
}

t.test('a key of the browser logs in at the real server', async (t) => {
  const { keyLogin } = (await import(
    new URL('../../admin/web/assets/key-login.js', import.meta.url).href
  )) as { keyLogin(parts: object): KeyLogin };
  const kept = new Map<string, unknown>();
  const store = {
    get: async (account: string) => kept.get(account),
    set: async (account: string, key: unknown) => void kept.set(account, key),
  };
  let browser = new Browser(server);
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await browser.send(method, path, body);
    if (answer.status === 200) return answer.body;
    throw new Error(String(answer.body.code));
  };
  const login = keyLogin({ store, call });
  await t.rejects(login.register('alice', ''), /API_UNAUTHENTICATED/);
  const name = 'alice';
  await browser.send('POST', '/api/v1/session', { name, password: 'otter balcony prism 42' });
  await login.register(name, 'test browser');
  browser = new Browser(server);
  await login.login(name);
  t.match((await browser.send('GET', '/api/v1/session')).body, { name, role: 'viewer' });
  const { items } = (await browser.send('GET', '/api/v1/account/sessions')).body;
  t.match(items, [{ method: 'ed25519', current: true }]);
});

/** A browser that walks from the login page to the provider and back. */
async function throughProvider(
  person: string,
  start = '/api/v1/login/oidc?next=/envoys',
  meddle = (back: URL) => back,
) {
  const browser = new Browser(server);
  const begun = await browser.send('GET', start);
  const back = meddle(await provider.logIn(String(begun.headers.location), person));
  const pending = browser.cookie;
  const answer = await browser.send('GET', `/api/v1/login/oidc/callback${back.search}`);
  return { browser, answer, back, pending };
}

t.test('who the provider proves and server.yaml admits gets a session', async (t) => {
  t.match((await send(server, 'GET', '/api/v1/login/methods')).body, { oidc: 'single sign-on' });
  const { browser, answer, back, pending } = await throughProvider('carol');
  t.match(answer, { status: 303, headers: { location: '/envoys' } });
  const me = await browser.send('GET', '/api/v1/session');
  t.match(me.body, { name: 'carol', role: 'operator' });
  t.match(me.headers['ratelimit-policy'], '"principal";q=501', 'limits are those of server.yaml');
  const again = await throughProvider('carol');
  t.match((await again.browser.send('GET', '/api/v1/session')).body, { name: 'carol' });

  const stolen = await send(server, 'GET', `/api/v1/login/oidc/callback${back.search}`, {
    headers: { cookie: pending },
  });
  t.match(stolen, { status: 400, body: { code: 'OIDC_NO_LOGIN' } }, 'an answer counts once');
  const planted = await send(server, 'GET', `/api/v1/login/oidc/callback${back.search}`);
  t.match(planted.body.code, 'OIDC_NO_LOGIN', 'and only in the browser that began');
  const evil = await send(server, 'GET', '/api/v1/login/oidc?next=//evil.example');
  t.equal(evil.status, 303);
  t.match(String(evil.headers.location), new RegExp(`^${provider.issuer}/`));
});

t.test('after the provider the second factor is asked for, unless it asked for one', async (t) => {
  for (const subject of ['judy', 'judy-twice']) {
    await run(`vigocli users link judy --subject ${subject}`);
  }
  const { browser, answer } = await throughProvider('judy');
  t.match(answer, { status: 200, body: { challenge: /./ } });
  t.equal((await browser.send('GET', '/api/v1/session')).status, 401, 'it is no session yet');
  const { challenge } = answer.body;
  const wrong = { challenge, code: '000000' };
  t.equal((await browser.send('POST', '/api/v1/session/second-factor', wrong)).status, 401);
  const right = { challenge, code: judysCodes.pop() };
  t.equal((await browser.send('POST', '/api/v1/session/second-factor', right)).status, 200);
  const { items } = (await browser.send('GET', '/api/v1/account/sessions')).body;
  t.match(items, [{ method: 'oidc+totp', current: true }]);

  const asserted = await throughProvider('judy-twice');
  t.match(asserted.answer, { status: 303, headers: { location: '/envoys' } });
  t.match((await asserted.browser.send('GET', '/api/v1/session')).body, { name: 'judy' });
});

t.test('a login in the browser is for the vigocli that began it, and for once', async (t) => {
  const verifier = 'v'.repeat(43);
  const challenge = pkceChallenge(verifier);
  const start = `/api/v1/login/oidc?port=4711&challenge=${challenge}`;
  const finish = (body: object) =>
    send(server, 'POST', '/api/v1/login/oidc/handover', { body, headers: {} });
  const handed = async (person = 'carol') => {
    const { answer, browser } = await throughProvider(person, start);
    t.equal((await browser.send('GET', '/api/v1/session')).status, 401, 'the browser gets nothing');
    return answer.body as unknown as Handed;
  };
  const { account, code, address } = await handed();
  t.equal(account, 'carol');
  t.equal(address, `http://127.0.0.1:4711/${challenge}?code=${code}`);
  const opened = await finish({ code, verifier });
  t.match(opened, { status: 200, body: { name: 'carol', token: /^vgos_/ } });
  const refused = { status: 401, body: { code: 'OIDC_HANDOVER_INVALID' } };
  t.match(await finish({ code, verifier }), refused, 'again');
  const other = (await handed()).code;
  t.match(await finish({ code: other, verifier: 'w'.repeat(43) }), refused, 'another program');
  t.match(await finish({ code: other, verifier }), refused, 'it was seen, so it is void');
  for (const half of ['port=4711', `challenge=${challenge}`, `port=80&challenge=${challenge}`]) {
    t.equal((await send(server, 'GET', `/api/v1/login/oidc?${half}`)).status, 400, half);
  }
  const twoFactors = await finish({ code: (await handed('judy')).code, verifier });
  t.match(twoFactors, { status: 200, body: { challenge: /./ } }, 'and the second factor is asked');
  const late = { code: judysCodes.pop(), challenge: twoFactors.body.challenge, as: 'token' };
  const ended = await send(server, 'POST', '/api/v1/session/second-factor', { body: late });
  t.match(ended, { status: 200, body: { name: 'judy', token: /^vgos_/ } });

  const usage = { code: 'CLI_USAGE' };
  await t.rejects(run('vigocli auth login --oidc --name carol'), usage);
  await t.rejects(run('vigocli --no-input auth login --oidc'), usage);
});

t.test('whom the provider proves but nobody admits stays outside, and it is noted', async (t) => {
  const codeOf = async (person: string, meddle?: (back: URL) => URL) =>
    (await throughProvider(person, undefined, meddle)).answer.body.code;
  const with_ = (name: string, value: string) => (back: URL) => {
    back.searchParams.set(name, value);
    return back;
  };
  t.equal(await codeOf('eve'), 'OIDC_NOT_ALLOWED', 'no group with a role');
  t.equal(await codeOf('mallory'), 'OIDC_NOT_ALLOWED', 'a mail address that nobody verified');
  const made = { name: 'ada', role: 'admin', noPassword: true };
  await send(server, 'POST', '/api/v1/users', { body: made, headers: local });
  t.equal(await codeOf('ada'), 'OIDC_NOT_LINKED', 'a name takes over nobody');
  t.equal(await codeOf('carol', with_('state', 'x')), 'OIDC_STATE_MISMATCH');
  t.equal(await codeOf('carol', with_('iss', 'https://evil.example')), 'OIDC_ISSUER_MISMATCH');
  t.equal(await codeOf('carol', with_('code', 'x')), 'OIDC_REFUSED');
  t.match(await refusals(), [{ code: /^[A-Z]+_/ }], 'of one peer the log keeps one a minute');

  t.match(await run('vigocli users link ada --subject ada'), /ada is ada at http/);
  const { browser } = await throughProvider('ada');
  const me = (await browser.send('GET', '/api/v1/session')).body;
  t.match(me, { name: 'ada', role: 'admin' }, 'as an administrator made it, whatever the groups');
  await run('vigocli users unlink ada');
  t.equal(await codeOf('ada'), 'OIDC_NOT_LINKED');
});
