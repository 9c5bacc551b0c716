import t from 'tap';
import { ServerError } from '../../../actors/errors.ts';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { createSecretCheck } from '../../../actors/secrets/check-stack.ts';
import type { SecretProvider } from '../../../actors/secrets/provider.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';

/** StoreOf: a secret store of which only the paths are of interest. */
class StoreOf implements SecretProvider {
  readonly backend = 'test';
  readonly asked: string[] = [];
  readonly #answer: (path: string) => Promise<boolean>;

  constructor(answer: (path: string) => Promise<boolean>) {
    this.#answer = answer;
  }

  exists(path: string): Promise<boolean> {
    this.asked.push(path);
    return this.#answer(path);
  }
  read = () => Promise.reject(new Error('a check reads no value'));
  write = () => Promise.reject(new Error('a check writes nothing'));
  list = () => Promise.reject(new Error('a check lists nothing'));
  initialise = () => Promise.reject(new Error('a check makes nothing'));
  rekey = () => Promise.reject(new Error('a check makes nothing'));
}

const entry = '- match: "*"\n  modules: [m]\n';

async function check(module: string, store: StoreOf, more: Record<string, string> = {}) {
  const files = new Map(
    Object.entries({ 'modules/m.vgo': module, 'envoys/all.vgo': entry, ...more }),
  );
  const diagnostics = new Diagnostics();
  for (const [path, text] of files) diagnostics.addFile(path, text);
  const checkSecrets = createSecretCheck(store, nodePorts().clock);
  const checks = [(_: unknown, found: Diagnostics) => checkSecrets(files, found)];
  const { result } = await compileStack(files, diagnostics, { checks });
  return result.diagnostics
    .filter(({ code }) => code === 'PUBLISH_SECRET')
    .map(({ file, line, column, message }) => ({ at: `${file}:${line}:${column}`, message }));
}

const have = (...paths: string[]) => new StoreOf(async (path) => paths.includes(path));

t.test('a secret that is missing is named at every place that needs it', async (t) => {
  const module = [
    'name: m',
    '# secret:only/a/comment',
    'vars: {key: "secret:db/pasword"}',
    'resources:',
    '  - name: f',
    '    type: file',
    '    target_path: /etc/f',
    '    content: |',
    '      user=app',
    '      password="secret:db/pasword" secret:db/password',
    '  - {name: g, type: file, target_path: /etc/g, source: templates/g.tmpl}',
    '',
  ].join('\n');
  const store = have('db/password');
  const found = await check(module, store, { 'templates/g.tmpl': 'a\nb secret:gone\n' });
  t.same(
    found.map(({ at }) => at),
    ['modules/m.vgo:3:14', 'modules/m.vgo:10:17', 'templates/g.tmpl:2:3'],
  );
  t.match(found[0]?.message, 'there is no secret db/pasword');
  t.same(store.asked.sort(), ['db/password', 'db/pasword', 'gone'], 'each is looked up once');
});

t.test('a secret stands only where its value can go', async (t) => {
  const module = [
    'name: m',
    'resources:',
    '  - name: f',
    '    type: file',
    '    when: "file_exists(\'/secret:a\')"',
    '    target_path: /etc/f',
    '    content: \'{{ print "secret:b" }} secret:c\'',
    '  - {name: g, type: file, target_path: /etc/g, content: "secret:d//e"}',
    '',
  ].join('\n');
  const found = await check(module, have('a', 'b', 'c'));
  t.match(
    found.map(({ message }) => message),
    [/when cannot hold a secret/, /inside a template action/, /no secret can be called d\/\/e/],
  );
});

t.test('a store that does not answer makes the stack invalid, and says why', async (t) => {
  const module = 'name: m\nvars: {a: "secret:a", b: "secret:b"}\nresources: []\n';
  const down = new StoreOf(async () => {
    throw new ServerError('SECRETS_UNAVAILABLE', { reason: 'connection refused' });
  });
  const found = await check(module, down);
  t.equal(found.length, 2);
  t.match(found[0]?.message, /not known: the secret store does not answer: connection refused/);
});

t.test('a stack without references asks nobody', async (t) => {
  const store = have();
  t.same(await check('name: m\nresources: []\n', store), []);
  t.same(store.asked, []);
});
