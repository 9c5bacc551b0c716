import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createEngine } from '../../../agent/converge/engine.ts';
import { createSnapshots } from '../../../agent/converge/snapshots.ts';
import { fileType } from '../../../agent/executors/cross/file.ts';
import { typeRegistry } from '../../../agent/executors/registry.ts';
import { userType } from '../../../agent/executors/unix/accounts.ts';
import { PasswordChecks } from '../../../agent/platform/accounts/password-checks.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { NodeStateFiles } from '../../../agent/platform/node-state-files.ts';
import type { BundleDocument, PolicyValue } from '../../../agent/protocol/bundle.ts';
import { createSecretPlaces } from '../../../agent/secrets/secret-places.ts';
import { secretValues } from '../../../agent/secrets/secret-values.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';
import { accountFiles, accounts, accountTools } from '../../support/simulated-accounts.ts';
import { arrange, simulatedMachine } from '../../support/simulated-machine.ts';

type Tap = { teardown(run: () => void): void };

/** An engine on a directory of its own; `asked` are the secrets that passes asked for. */
function setUp(t: Tap) {
  const root = mkdtempSync(join(tmpdir(), 'vigo-secrets-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const platform = createNodePlatform({ root });
  const snapshots = join(root, 'snapshots');
  const make = () =>
    createEngine({
      platform,
      registry: typeRegistry([fileType]),
      snapshots: createSnapshots({ platform, directory: snapshots }),
      secretPlaces: createSecretPlaces(new NodeStateFiles(join(root, 'state'))),
    });
  let engine = make();
  const asked: string[][] = [];
  return {
    asked,
    at: (path: string) => join(root, path),
    read: (path: string) => readFileSync(join(root, path), 'utf8'),
    hasSnapshots: () => existsSync(snapshots),
    restart: () => {
      engine = make();
    },
    pass: async (
      document: BundleDocument,
      values: Readonly<Record<string, string>>,
      traits: Readonly<Record<string, PolicyValue>> = {},
    ) => {
      const result = await engine.pass({
        document,
        traits,
        secrets: async (paths) => {
          asked.push([...paths].sort());
          return secretValues(new Map(Object.entries(values)));
        },
      });
      return Object.fromEntries(result.resources.map((one) => [one.id.slice(2), one]));
    },
  };
}

const file = (name: string, content: string, rest: Partial<ResourceInput> = {}): ResourceInput => ({
  name,
  type: 'file',
  parameters: { target_path: `/${name}`, content },
  ...rest,
});
const inModule = (
  resources: ResourceInput[],
  vars: Readonly<Record<string, PolicyValue>> = {},
  templates: Readonly<Record<string, string>> = {},
) => bundle([module('m', resources, { vars })], templates);

t.test('only references of the policy are references', async (t) => {
  const node = setUp(t);
  const document = inModule([
    file('trait', '{{ .Traits.comment }}'),
    file('both', '{{ .Traits.comment }} secret:real'),
  ]);
  const traits = { comment: 'secret:real secret:other vigo-secret-0-0;' };
  const done = await node.pass(document, { real: 'VALUE', other: 'OTHER' }, traits);
  t.equal(node.read('trait'), traits.comment, 'what a node says of itself is text');
  t.equal(node.read('both'), `${traits.comment} VALUE`);
  t.equal(done.trait?.action, 'created');
  t.same(node.asked, [['real']], 'and nothing else is asked for');
});

t.test('a value is never read as a template, and functions see the value', async (t) => {
  const node = setUp(t);
  const value = '{{ .Vars.other }} }} {{';
  const document = inModule(
    [
      file('text', '{{ .Vars.name }}: secret:a'),
      file('variable', '{{ .Vars.secret }} {{ len .Vars.secret }} {{ .Vars.deep.list | len }}'),
      file('item', '{{ .Item.key }}', { item: { key: 'secret:a' } }),
      { ...file('source', ''), parameters: { target_path: '/source', source: 'templates/x' } },
    ],
    { name: 'n', other: 'o', secret: 'secret:a', deep: { list: ['secret:a'] } },
    { 'templates/x': '{{ if .Vars.name }}<secret:a>{{ end }}' },
  );
  await node.pass(document, { a: value });
  t.equal(node.read('text'), `n: ${value}`);
  t.equal(node.read('variable'), `${value} ${value.length} 1`);
  t.equal(node.read('item'), value);
  t.equal(node.read('source'), `<${value}>`);
});

t.test('what cannot be known is blocked, and nothing of it is written', async (t) => {
  const node = setUp(t);
  const document = inModule(
    [
      file('needs', 'x secret:a/b'),
      file('through', '{{ range .Vars.all }}{{ . }}{{ end }}'),
      file('inside', '{{ print "secret:a/b" }}'),
      file('free', 'plain'),
      file('after', 'plain', { dependsOn: ['needs'] }),
    ],
    { all: ['1', 'secret:c'], unused: 'secret:unused' },
  );
  const done = await node.pass(document, {});
  t.match(done.needs, { action: 'blocked', errorCode: 'AGENT_SECRETS_UNAVAILABLE' });
  t.match(done.needs?.reason, 'a/b', 'the reason names the path');
  t.equal(done.through?.action, 'blocked');
  t.equal(done.after?.action, 'skipped');
  t.equal(done.free?.action, 'created');
  for (const name of ['needs', 'through', 'inside', 'after']) t.notOk(existsSync(node.at(name)));
  t.same(node.asked[0], ['a/b', 'c'], 'a variable that nothing reads is not asked for');
  const known = await node.pass(document, { 'a/b': 'V', c: '2' });
  t.equal(node.read('needs'), 'x V');
  t.equal(node.read('through'), '12');
  t.match(known.inside, { action: 'blocked', errorCode: 'AGENT_SECRET_MISPLACED' });
  await node.pass(document, { 'a/b': 'W', c: '2' });
  t.equal(node.read('needs'), 'x W', 'another value is another content');
});

t.test('no diff and no snapshot ever holds what a file with a secret held', async (t) => {
  const node = setUp(t);
  const secret = inModule([file('f', 'key=secret:a\n')]);
  const plain = inModule([file('f', 'key=none\n')]);
  await node.pass(secret, { a: 'PLANTED-VALUE' });
  const rotated = await node.pass(secret, { a: 'PLANTED-OTHER' });
  t.equal(rotated.f?.diff, 'content not shown: it holds a secret');
  node.restart();
  const forgotten = await node.pass(plain, {});
  t.equal(forgotten.f?.diff, 'content not shown: it holds a secret', 'also after a restart');
  t.equal(node.read('f'), 'key=none\n');
  t.notOk(node.hasSnapshots());
  writeFileSync(node.at('g'), 'an old content\n');
  const other = await node.pass(inModule([file('g', 'new\n'), file('f', 'secret:a')]), { a: 'x' });
  t.match(other.g?.diff, '-an old content', 'other files are shown and kept as ever');
  t.ok(node.hasSnapshots());
});

t.test('a file that another program filled with a value is not kept either', async (t) => {
  const node = setUp(t);
  writeFileSync(node.at('copy'), 'copied: PLANTED-VALUE\n');
  const document = inModule([file('copy', 'clean\n'), file('f', 'secret:a')]);
  const done = await node.pass(document, { a: 'PLANTED-VALUE' });
  t.notMatch(done.copy?.diff, 'PLANTED');
  t.match(done.copy?.diff, 'copied: \\*\\*\\*'.replaceAll('\\', ''));
  t.notOk(node.hasSnapshots());
});

t.test("a user's password is set and told to nobody", async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'vigo-secrets-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  arrange(root, { ...accountFiles });
  const platform = simulatedMachine(accountTools)(root);
  const checks = new PasswordChecks();
  const registry = typeRegistry([userType]);
  const engine = createEngine({ platform, registry });
  const parameters = { username: 'ann', uid: 1500, password: 'secret:users/ann' };
  const document = inModule([{ name: 'ann', type: 'user', parameters }]);
  const secrets = async () => secretValues(new Map([['users/ann', 'PLANTED-PASSWORD']]));
  const result = await engine.pass({ document, traits: {}, secrets });
  t.match(result.resources[0], { action: 'created' });
  t.ok(checks.matches('PLANTED-PASSWORD', accounts(root).shadow.get('ann')?.hash ?? ''));
  t.notMatch(JSON.stringify(result), 'PLANTED');
});
