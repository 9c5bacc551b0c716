import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { explainKind } from '../../../actors/explain/actor.ts';
import {
  type ExplainMessages,
  explainAddress,
  type SearchKind,
  searchKinds,
} from '../../../actors/explain/messages.ts';
import { conditionVerdict } from '../../../actors/explain/verdict.ts';
import { publishQueryAddress } from '../../../actors/publish/messages.ts';
import { standardLayout } from '../../../agent/policy/guardrails.ts';
import type { ActorKind, MessageMap } from '../../../runtime/actor.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import { ThreadSystem } from '../../../runtime/system.ts';

const directory = mkdtempSync(join(tmpdir(), 'vigo-explain-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

const files: Record<string, string> = {
  'modules/base.vgo': 'name: base\nresources: []\n',
  'modules/web.vgo': `name: web
depends_on: [base]
when: "os_family('debian')"
vars: {port: 80, workers: 2}
resources:
  - name: page
    type: file
    target_path: /srv/page
    content: "{{ .Vars.port }}"
  - name: only-arm
    type: file
    when: "arch('arm64')"
    target_path: /srv/arm
    content: x
  - name: if-marked
    type: file
    when: "file_exists('/srv/mark') && os_family('debian')"
    target_path: /srv/marked
    content: x
`,
  'modules/unused.vgo': 'name: unused\nvars: {port: 1}\nresources: []\n',
  'roles.vgo': '- name: webserver\n  modules: [web]\n',
  'common.vgo': 'vars: {port: 8080}\n',
  'production/environments.vgo': 'env:\n  production: {vars: {workers: 16}}\n',
  'production/web.vgo': `envoys:
  - match: "web-*"
    environment: production
    roles: [webserver]
    vars: {port: 443}
  - match: "*"
    modules: [base]
`,
  'templates/motd.tmpl': 'workers: {{ .Vars.workers }}\n',
};
for (const [path, text] of Object.entries(files)) {
  mkdirSync(join(directory, dirname(path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

/** Stands in for the publish actor: version 7 is the stack without production/. */
const publishDouble: ActorKind<undefined, MessageMap> = {
  name: publishQueryAddress().kind,
  placement: 'service',
  mailboxLimit: 10,
  idleAfterMs: 0,
  restart: { maxRestarts: 1, withinMs: 1000 },
  activate: () => undefined,
  handlers: {
    files: () => ({
      contentHash: '',
      files: Object.entries(files)
        .filter(([path]) => !path.startsWith('production'))
        .map(([path, text]) => ({ path, text })),
    }),
  },
};

const ports = nodePorts();
const { store } = openSimulatedStore({ disk: new SimulatedStoreDisk(), ports });
const system = new ThreadSystem({
  thread: 'service',
  topology: { threads: [{ name: 'service', role: 'service' }], services: {} },
  kinds: [explainKind({ stackDirectory: directory, layout: standardLayout }), publishDouble],
  ports,
  store,
});

function ask<T extends keyof ExplainMessages & string>(
  type: T,
  payload: ExplainMessages[T]['payload'],
): Promise<ExplainMessages[T]['reply']> {
  return system.ask(explainAddress(), type, payload, { deadlineMs: 20_000 });
}

const debian = JSON.stringify({ os: { family: 'debian', arch: 'amd64' } });

t.test('a host is told which entry it has, and where each variable comes from', async (t) => {
  const trace = await ask('trace', { of: 'stack', hostname: 'web-1', traitsJson: debian });
  t.match(trace, { source: 'stack', errors: 0, traitsKnown: true });
  t.match(trace.matched, { pattern: 'web-*', place: { file: 'production/web.vgo', line: 2 } });
  t.match(trace.shadowed, [{ pattern: '*' }], 'and which later entry would have taken it');
  const web = trace.entry?.modules.find(({ name }) => name === 'web');
  t.match(web?.reasons, [{ kind: 'entry', role: { name: 'webserver' } }]);
  const port = web?.vars.find(({ name }) => name === 'port');
  t.match(port, { value: 443, layer: 'entry', place: { file: 'production/web.vgo' } });
  t.same(
    port?.overridden.map(({ layer, value, place }) => [layer, value, place.file]),
    [
      ['common', 8080, 'common.vgo'],
      ['module', 80, 'modules/web.vgo'],
    ],
    'and what it overrode, strongest first',
  );
  t.match(
    web?.vars.find(({ name }) => name === 'workers'),
    { value: 16, layer: 'environment' },
  );
});

t.test('a resource is in, out, or for the node to say, with the reason', async (t) => {
  const states = async (traitsJson?: string) => {
    const request = { of: 'stack', hostname: 'web-1' } as const;
    const trace = await ask('trace', traitsJson ? { ...request, traitsJson } : request);
    const web = trace.entry?.modules.find(({ name }) => name === 'web');
    return web?.resources.map(({ verdict }) => verdict) ?? [];
  };
  const [page, arm, marked] = await states(debian);
  t.same(page, { state: 'in', why: '' });
  t.same(arm, { state: 'out', why: "arch('arm64') does not hold" });
  t.match(marked, {
    state: 'node',
    why: /^file_exists\('\/srv\/mark'\) is known on the node only/,
  });
  const onRhel = await states(JSON.stringify({ os: { family: 'rhel' } }));
  for (const verdict of onRhel) {
    t.match(verdict, { state: 'out', why: /^its module: os_family\('debian'\) does not hold/ });
  }
  for (const verdict of await states()) t.equal(verdict.state, 'node', 'without traits');
});

t.test('three values: a known term decides whatever the unknown one is', async (t) => {
  const cases: [string, string][] = [
    ["file_exists('/a') || os_family('debian')", 'in'],
    ["file_exists('/a') && os_family('rhel')", 'out'],
    ["file_exists('/a') && os_family('debian')", 'node'],
    ["!(file_exists('/a') && os_family('rhel'))", 'in'],
    ['changed', 'node'],
    ["hour_range('1','2')", 'node'],
    ["os_family('{{ .Vars.family }}')", 'in'],
    ["os_family('{{ .Traits.os.family }}')", 'in'],
    ["os_family('{{ .Vars.absent }}')", 'node'],
    ['nonsense(', 'node'],
  ];
  for (const [text, state] of cases) {
    const traits = JSON.parse(debian) as Record<string, never>;
    const verdict = await conditionVerdict(text, { Vars: { family: 'debian' } }, traits);
    t.equal(verdict.state, state, text);
    t.equal(verdict.why === '', state === 'in', verdict.why);
  }
});

t.test('a host that nothing matches, an old version, and a module that is not there', async (t) => {
  const none = await ask('trace', { of: 7, hostname: 'web-1' });
  t.match(none, { source: 'version 7', shadowed: [], entry: undefined });
  const uploaded = await ask('trace', { of: 'live', directory, hostname: 'db-1' });
  t.match(uploaded, { source: 'upload', matched: { pattern: '*' } });
  await t.rejects(ask('usage', { of: 'stack', module: 'webb' }), {
    code: 'EXPLAIN_NO_MODULE',
    message: /did you mean web\?/,
  });
});

t.test('where a module is used, and by what', async (t) => {
  const usage = await ask('usage', { of: 'stack', module: 'base' });
  t.match(usage, { module: 'base', place: { file: 'modules/base.vgo' }, roles: [] });
  t.match(usage.neededBy, [{ module: 'web' }]);
  t.match(usage.entries, [
    { patterns: ['web-*'], reasons: [{ kind: 'dependency', neededBy: 'web' }] },
    { patterns: ['*'], reasons: [{ kind: 'entry' }] },
  ]);
});

t.test('the tree shows what a directory inherits', async (t) => {
  const { directories } = await ask('tree', { of: 'stack' });
  t.same(
    directories.map(({ path, inherits }) => [path, inherits]),
    [
      ['', []],
      ['modules', []],
      ['production', ['common.vgo']],
      ['templates', []],
    ],
  );
  const production = directories.find(({ path }) => path === 'production');
  t.same(
    production?.files.map(({ kind }) => kind),
    ['environments', 'entries'],
  );
  t.match(production?.entries, [{ patterns: ['web-*'], modules: ['base', 'web'] }, {}]);
});

t.test('a search finds names, values and lines with their place', async (t) => {
  const search = async (pattern: string, kinds: readonly SearchKind[], limit = 100) => {
    const { matches, truncated } = await ask('search', { of: 'stack', pattern, kinds, limit });
    return {
      truncated,
      found: matches.map(({ kind, name, place }) => `${kind} ${name} ${place.file}`),
    };
  };
  t.same((await search('port', ['var'])).found, [
    'var port modules/unused.vgo',
    'var port modules/web.vgo',
    'var port production/web.vgo',
    'var port common.vgo',
  ]);
  t.same((await search('W?B', ['module', 'role'])).found, ['module web modules/web.vgo']);
  t.same((await search('web/*', ['resource'])).found.length, 3);
  t.same((await search('file', ['type'])).found.length, 3);
  t.same((await search('web-', ['entry'])).found, ['entry web-* production/web.vgo']);
  t.same((await search('.Vars.workers', searchKinds)).found, [
    'text .Vars.workers templates/motd.tmpl',
  ]);
  t.match(await search('*', searchKinds, 3), { truncated: true, found: { length: 3 } });
});
