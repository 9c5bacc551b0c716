import { createHash, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import t from 'tap';
import { connectionOf, localHome, serverOf } from '../../../admin/cli/connection.ts';
import { readLogin, writeLogin } from '../../../admin/cli/context/login-file.ts';
import {
  addContext,
  listContexts,
  removeContext,
  showContext,
  useContext,
} from '../../../admin/cli/context/manage.ts';
import { parseContexts, readContexts } from '../../../admin/cli/context/store.ts';
import { AdminError } from '../../../admin/errors.ts';
import { fc } from '../../support/property.ts';
import { testAuthority } from '../../support/test-authority.ts';

const { authority, serverCertificate, serverKey } = await testAuthority();
const directory = mkdtempSync(join(tmpdir(), 'vigo-contexts-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const home = join(directory, 'home');
mkdirSync(join(home, 'tls'), { recursive: true });
mkdirSync(join(home, 'keys'));
writeFileSync(join(home, 'run.json'), JSON.stringify({ apiPort: 4443, grpcPort: 4530 }));
writeFileSync(join(home, 'tls/ca.cert.pem'), authority.certificatePem);
writeFileSync(join(home, 'keys/admin-token'), 'vgot_local\n');
const caFile = join(home, 'tls/ca.cert.pem');

/** A person of their own: nothing of one test is left for the next. */
function person() {
  const XDG_CONFIG_HOME = mkdtempSync(join(directory, 'config-'));
  return { XDG_CONFIG_HOME, kept: join(XDG_CONFIG_HOME, 'vigo/contexts.json') };
}

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof AdminError) return error.code;
    throw error;
  }
  return 'none';
};

t.test('a context is the server, its authority and nobody else may read it', async (t) => {
  const { kept, ...me } = person();
  await addContext('prod', { server: 'vigo.example.com', caFile }, me);
  await addContext('lab', { home }, me);
  t.equal(statSync(kept).mode & 0o777, 0o600);
  t.match(serverOf({ context: 'prod' }, me), {
    host: 'vigo.example.com',
    port: 8443,
    context: 'prod',
    target: 'vigo.example.com:8443',
  });
  t.equal(new X509Certificate(serverOf({ context: 'prod' }, me).caPem).ca, true);
  t.match(connectionOf({ context: 'lab' }, me), { port: 4443, token: 'vgot_local' });
  t.equal(localHome({ context: 'lab' }, me), home);
  t.equal(localHome({ context: 'prod' }, me), undefined, 'a remote one has no files here');
  t.equal(await codeOf(() => connectionOf({ context: 'prod' }, me)), 'CLI_NOT_LOGGED_IN');
  t.equal(await codeOf(() => serverOf({ context: 'prdo' }, me)), 'CLI_NO_CONTEXT');
});

t.test(
  'options win over VIGO_CONTEXT, this over VIGO_HOME, and that over the one in use',
  async (t) => {
    const { kept, ...me } = person();
    await addContext('one', { server: 'one:1', caFile, use: true }, me);
    await addContext('two', { server: 'two:2', caFile }, me);
    const named = (options: object, more = {}) => serverOf(options, { ...me, ...more }).target;
    t.equal(named({}), 'one:1');
    t.equal(named({ context: 'two' }, { VIGO_CONTEXT: 'one' }), 'two:2');
    t.equal(named({}, { VIGO_CONTEXT: 'two', VIGO_HOME: home }), 'two:2');
    t.equal(named({}, { VIGO_HOME: home }), `home:${home}`, 'what worked before contexts works');
    t.equal(named({ home }, { VIGO_CONTEXT: 'two' }), `home:${home}`);
    t.equal(named({ context: 'default' }, { VIGO_HOME: home }), `home:${home}`);
    useContext('default', me);
    t.equal(await codeOf(() => serverOf({}, { ...me, VIGO_CONTEXT: 'gone' })), 'CLI_NO_CONTEXT');
    t.equal(await codeOf(() => serverOf({ context: 'one', home }, me)), 'CLI_USAGE');
    useContext('two', me);
    t.match(listContexts({}, me), [
      { name: 'default', current: false },
      { name: 'one', current: false, server: 'one:1' },
      { name: 'two', current: true, account: undefined },
    ]);
    t.match(showContext(undefined, {}, me), { name: 'two', file: kept });
    removeContext('two', me);
    t.equal(readContexts(me).current, undefined, 'a forgotten one is not in use');
  },
);

t.test('the token of a login goes to the server that gave it, and to no other', async (t) => {
  const { kept: _kept, ...me } = person();
  await addContext('prod', { server: 'one:1', caFile }, me);
  const login = { account: 'alice', token: 'vgst_x', target: 'one:1' };
  writeLogin(me, 'prod', login);
  const file = join(me.XDG_CONFIG_HOME, 'vigo/logins/prod.json');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(connectionOf({ context: 'prod' }, me).token, 'vgst_x');
  t.equal(listContexts({}, me)[1]?.account, 'alice');
  await addContext('prod', { server: 'evil:1', caFile, replace: true }, me);
  t.equal(await codeOf(() => connectionOf({ context: 'prod' }, me)), 'CLI_NOT_LOGGED_IN');
  await addContext('prod', { server: 'one:1', caFile, replace: true }, me);
  writeLogin(me, 'prod', { ...login, expiresAtMs: 1 });
  t.equal(await codeOf(() => connectionOf({ context: 'prod' }, me)), 'CLI_NOT_LOGGED_IN');
  chmodSync(file, 0o644);
  t.equal(await codeOf(() => connectionOf({ context: 'prod' }, me)), 'CLI_TOKEN_EXPOSED');
  writeLogin(me, 'prod', login);
  t.equal(statSync(file).mode & 0o777, 0o600, 'a new login closes it again');
  writeFileSync(file, '{"token": "x\\r\\ny"}');
  t.equal(await codeOf(() => readLogin(me, 'prod', 'one:1')), 'CLI_CONTEXTS_INVALID');
  removeContext('prod', me);
  t.notOk(existsSync(file), 'and it goes with its context');
  writeLogin(me, 'default', { ...login, target: `home:${home}` });
  t.equal(connectionOf({ home }, me).token, 'vgst_x', 'a login wins over the local token');
});

t.test('a pin fetches the authority of that server alone', async (t) => {
  const cert = serverCertificate + authority.certificatePem;
  const server = createServer({ cert, key: serverKey, minVersion: 'TLSv1.3' });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { kept: _kept, ...me } = person();
  const key = new X509Certificate(serverCertificate).publicKey;
  const spki = key.export({ type: 'spki', format: 'der' });
  const pin = `sha256//${createHash('sha256').update(spki).digest('base64')}`;
  const there = { server: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  await addContext('pinned', { ...there, pin }, me);
  t.match(showContext('pinned', {}, me), {
    authoritySha256: new X509Certificate(authority.certificatePem).fingerprint256,
  });
  const other = `sha256//${Buffer.alloc(32).toString('base64')}`;
  t.equal(
    await codeOf(() => addContext('b', { ...there, pin: other }, me)),
    'CLI_UNTRUSTED_SERVER',
  );
  t.equal(await codeOf(() => addContext('b', { ...there, pin: 'x' }, me)), 'CLI_USAGE');
  t.equal(readContexts(me).contexts.length, 1, 'and nothing was kept of them');
});

t.test('what cannot be a context is refused before anything is written', async (t) => {
  const { kept, ...me } = person();
  const bad: [string, object][] = [
    ['default', { home }],
    ['../x', { home }],
    ['a', {}],
    ['a', { server: 'x:1' }],
    ['a', { server: 'x:1', home }],
    ['a', { home, caFile }],
    ['a', { server: 'http://x', caFile }],
  ];
  for (const [name, options] of bad) {
    t.equal(
      await codeOf(() => addContext(name, options, me)),
      'CLI_USAGE',
      JSON.stringify(options),
    );
  }
  const missing = { server: 'x:1', caFile: join(home, 'run.json') };
  t.equal(await codeOf(() => addContext('a', missing, me)), 'CLI_FILE_UNREADABLE');
  t.notOk(existsSync(kept));
});

t.test('a broken file of contexts is named, and never guessed at', async (t) => {
  const broken = [
    '',
    '[]',
    '{}',
    '{"contexts": [{"name": "a"}]}',
    '{"contexts": [], "current": 1}',
  ];
  const twice = '{"contexts": [{"name": "a", "home": "/"}, {"name": "a", "home": "/"}]}';
  for (const text of [...broken, twice, '{"contexts": [{"name": "a", "home": "/", "x": "y"}]}']) {
    t.throws(() => parseContexts(text, 'FILE'), { code: 'CLI_CONTEXTS_INVALID', message: /FILE/ });
  }
  const { kept, ...me } = person();
  await addContext('a', { home }, me);
  const good = readFileSync(kept, 'utf8');
  const at = fc.nat({ max: good.length - 1 });
  fc.assert(
    fc.property(at, fc.string({ maxLength: 3 }), (where, text) => {
      try {
        parseContexts(good.slice(0, where) + text + good.slice(where + 1), 'FILE');
      } catch (error) {
        return error instanceof AdminError && error.code === 'CLI_CONTEXTS_INVALID';
      }
      return true;
    }),
  );
});
