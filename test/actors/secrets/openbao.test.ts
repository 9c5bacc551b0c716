import { chmodSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openProvider } from '../../../actors/secrets/open.ts';
import { nodeExchange } from '../../../actors/secrets/openbao/http.ts';
import type { SecretsConfig } from '../../../actors/server/config/config.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { FakeVaultServer } from './fake-vault-server.ts';

type Tap = { teardown(run: () => void | Promise<void>): void };

const ports = nodePorts();
const machine = {
  ports,
  modeOf: async (file: string) => (await stat(file)).mode,
  exchange: nodeExchange,
};

async function vault(t: Tap) {
  const server = new FakeVaultServer();
  const url = await server.start();
  t.teardown(() => server.stop());
  const directory = temporaryDirectory(t);
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const config: SecretsConfig = {
    backend: 'openbao',
    keyFile: '',
    secretsDirectory: directory,
    url,
    mount: 'kv',
    field: 'value',
    namespace: 'team',
    tokenFile: file('token', 'root-token\n'),
    roleId: '',
    secretIdFile: '',
    approleMount: 'approle',
    caFile: '',
    timeoutMs: 300,
  };
  return { server, config, file };
}

t.test('values are read and written as KV version 2 wants it', async (t) => {
  const { server, config } = await vault(t);
  const store = await openProvider(config, machine);
  server.put('db/main', { value: 'v1', user: 'app', port: 5432 });
  t.equal(await store.read('db/main'), 'v1');
  t.equal(await store.read('db/main#user'), 'app');
  t.equal(await store.read('db/main#port'), '5432');
  t.equal(await store.read('db/main#none'), undefined);
  t.equal(await store.exists('db/gone'), false);
  t.equal(await store.write('db/main#user', 'other', 'me'), 2);
  t.same(server.get('db/main'), { value: 'v1', user: 'other', port: 5432 }, 'the rest is kept');
  t.equal(await store.write('new', 'x', 'me'), 1);
  server.put('deleted', null);
  t.equal(await store.read('deleted'), undefined);
  const listed = (await store.list()).map(({ path }) => path);
  t.same(listed.sort(), ['db/main', 'deleted', 'new']);
  t.equal(server.requests[0]?.headers['x-vault-namespace'], 'team');
  await t.rejects(store.rekey(), { code: 'SECRETS_NOT_OFFERED' });
});

t.test('a busy store is asked again, a silent or refusing one is named', async (t) => {
  const { server, config, file } = await vault(t);
  server.put('a', { value: 'x' });
  const store = await openProvider(config, machine);
  server.failWith = [503, 429];
  t.equal(await store.read('a'), 'x', 'the third attempt counts');
  server.failWith = [500, 500, 500];
  await t.rejects(store.read('a'), { code: 'SECRETS_UNAVAILABLE' });
  server.failWith = [400];
  await t.rejects(store.read('a'), { code: 'SECRETS_BAD_ANSWER' });
  server.silent = true;
  await t.rejects(store.read('a'), { code: 'SECRETS_UNAVAILABLE' });
  server.silent = false;
  file('token', 'wrong');
  server.expireTokens();
  await t.rejects(store.read('a'), { code: 'SECRETS_DENIED' });
  await server.stop();
  await t.rejects(store.read('a'), { code: 'SECRETS_UNAVAILABLE' });
});

t.test('an AppRole logs in, and again when its token has ended', async (t) => {
  const { server, config, file } = await vault(t);
  server.put('a', { value: 'x' });
  const secretIdFile = file('secret-id', 'secret-id');
  const role = { ...config, tokenFile: '', roleId: 'role', secretIdFile };
  const store = await openProvider(role, machine);
  t.equal(await store.read('a'), 'x');
  t.equal(await store.read('a'), 'x');
  t.equal(server.logins, 1);
  server.expireTokens();
  t.equal(await store.read('a'), 'x');
  t.equal(server.logins, 2);
  const wrong = await openProvider({ ...role, roleId: 'nobody' }, machine);
  await t.rejects(wrong.read('a'), { code: 'SECRETS_DENIED' });
});

t.test('a configuration that would expose or lack its credential is refused', async (t) => {
  const { config } = await vault(t);
  const refused = (change: Partial<SecretsConfig>) =>
    openProvider({ ...config, ...change }, machine);
  await t.rejects(refused({ url: 'http://vault.example:8200' }), { code: 'SECRETS_CONFIG' });
  await t.rejects(refused({ url: 'nonsense' }), { code: 'SECRETS_CONFIG' });
  await t.rejects(refused({ tokenFile: '' }), { code: 'SECRETS_CONFIG' });
  await t.rejects(refused({ caFile: '/nonexistent' }), { code: 'SECRETS_CONFIG' });
  chmodSync(config.tokenFile, 0o644);
  await t.rejects(refused({}), { code: 'SECRETS_FILE_EXPOSED' });
});
