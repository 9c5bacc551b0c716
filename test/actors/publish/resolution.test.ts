import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { Diagnostics } from '../../../actors/publish/stack/diagnostics.ts';
import { compileStack } from '../../../actors/publish/stack/stack.ts';
import { readStackFiles } from '../../../actors/publish/stack/stack-files.ts';
import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import { canonicalJson } from '../../../agent/protocol/canonical-json.ts';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';
import { fc } from '../../support/property.ts';
import { brief, compileFiles, oneModule } from './stacks.ts';

const show = (name: string) =>
  `name: ${name}\nvars: {who: module, only_${name}: 1}\nresources:\n  - {type: group, group: "{{ .Vars.who }}"}\n`;

const layered = {
  'common.vgo': 'vars: {a: root, b: root}\nmodules: base\n',
  'environments.vgo': 'env: {production: {vars: {c: root-env, d: root-env}}}\n',
  'roles.vgo': 'roles: [{name: web, modules: [nginx, app]}]\n',
  'modules/base.vgo': show('base'),
  'modules/deep/nginx.vgo': `depends_on: tls\n${show('nginx')}`,
  'modules/app.vgo': [
    `depends_on: [nginx]`,
    `${show('app')}environment_overrides: {production: {vars: {who: module-env, c: module-env}}}`,
    ``,
  ].join('\n'),
  'modules/tls.vgo': show('tls'),
  'modules/hardening.vgo': show('hardening'),
  'modules/waf.vgo': show('waf'),
  'production/common.vgo': 'vars: {b: production, c: production}\nmodules: [hardening]\n',
  'production/per_env_overrides.vgo':
    'env: {production: {modules: [waf], exclude_modules: hardening, vars: {d: env}}}\n',
  'production/web/web.vgo': [
    'envoys:',
    '  - match: ["web-*.prod", "www"]',
    '    environment: production',
    '    roles: web',
    '    vars: {c: entry, who: entry}',
    '  - match: "*.prod"',
    '    modules: [app]',
    '',
  ].join('\n'),
  'staging/staging.vgo': 'match: "*"\nmodules: [app]\nexclude_modules: [base, tls]\n',
};

const forHost = async (files: Record<string, string>, host: string): Promise<BundleDocument> => {
  const stack = await compileFiles(files);
  t.same(brief(stack), []);
  return stack.documents[stack.match(host)!]!;
};

t.test('an envoy gets the modules and variables that the layers give it', async (t) => {
  const web = await forHost(layered, 'WEB-1.prod');
  const order = web.modules.map(({ name }) => name);
  t.same(order, ['base', 'tls', 'nginx', 'app', 'waf']);
  t.same(web.modules[3]!.vars, {
    only_app: 1,
    a: 'root',
    b: 'production',
    c: 'root-env',
    d: 'env',
    who: 'module-env',
  });
  t.equal(web.modules[2]!.vars.who, 'entry');
  t.same(web.modules[3]!.dependsOn, ['nginx']);
  const db = await forHost(layered, 'db.prod');
  t.same(
    db.modules.map(({ name }) => name),
    ['base', 'hardening', 'tls', 'nginx', 'app'],
    'the second entry, and no environment',
  );
  const other = await forHost(layered, 'laptop');
  t.same(
    other.modules.map(({ name }) => [
      name,
      ...(name === 'nginx' ? ['on', ...other.modules[0]!.dependsOn] : []),
    ]),
    [['nginx', 'on'], ['app']],
    'an excluded module is no dependency either',
  );
});

t.test('foreach makes a resource per element, and references follow', async (t) => {
  const text = `  - {name: "user {{ .Item.name }}", type: group, group: "{{ .Each.name }}", foreach: users}
  - {name: each, type: directory, target_path: "/d/{{ .Item }}", foreach: dirs, depends_on: "user {{ .Item.name }}"}
  - {name: after, type: group, group: x, depends_on: [each], foreach: none}
  - {name: last, type: group, group: y, depends_on: [after, each]}
vars: {users: [{name: ann}, {name: bob}], dirs: [a, b], none: []}
`;
  const [module] = (await forHost(oneModule(text), 'x')).modules;
  t.same(
    module!.resources.map(({ name, item, dependsOn }) => [name, item, dependsOn]),
    [
      ['user ann', { name: 'ann' }, []],
      ['user bob', { name: 'bob' }, []],
      ['each [a]', 'a', ['user ann', 'user bob']],
      ['each [b]', 'b', ['user ann', 'user bob']],
      ['last', undefined, ['each [a]', 'each [b]']],
    ],
  );
});

t.test('defaults, case, common keys and text values come out as declared', async (t) => {
  const text = `  - name: web
    type: package
    package: nginx
    version: 1.10
    case: "{{ .Traits.os.family }}"
    match: {debian: {package: apache2}, rhel: {package: httpd}}
  - {type: file, target_path: /etc/x, mode: 0600, notify: reload}
  - {name: reload, type: service, service: web, state: reloaded, when: "changed"}
  - {name: job, type: cron, command: "true"}
defaults: {owner: root, mode: "0644"}
`;
  const [module] = (await forHost(oneModule(text), 'x')).modules;
  t.match(module!.resources, [
    {
      parameters: { package: 'nginx', version: '1.10' },
      variants: { on: '{{ .Traits.os.family }}', match: { rhel: { package: 'httpd' } } },
    },
    { name: 'file /etc/x', parameters: { mode: '0600', owner: 'root' }, notify: ['reload'] },
    { when: 'changed', parameters: { state: 'reloaded' } },
    { parameters: { name: 'job', command: 'true' } },
  ]);
  t.notOk('owner' in module!.resources[0]!.parameters, 'a package has no owner');
});

const seeds = {
  'modules/webserver.vgo': `name: webserver
resources:
  - name: Install nginx
    type: package
    package: nginx
  - name: Nginx config
    type: file
    target_path: /etc/nginx/nginx.conf
    owner: root
    group: root
    mode: "0644"
    source: templates/nginx.conf.tmpl
    notify: [Restart nginx]
  - name: Restart nginx
    type: service
    service: nginx
    state: restarted
    enabled: "true"
    when: "changed"
`,
  'modules/repositories.vgo': `resources:
  - name: Install apt-transport-https
    type: package
    package: apt-transport-https
    when: "os_family('debian')"
  - name: Install epel-release
    type: package
    package: epel-release
    when: "os_family('redhat')"
`,
  'templates/nginx.conf.tmpl': 'events {}\nhttp { server { listen 80; } }\n',
  'site.vgo': 'nodes:\n  - match: "*"\n    modules: [webserver, repositories]\n',
};

t.test('the samples of the overview compile', async (t) => {
  const document = await forHost(seeds, 'x');
  t.same(
    document.modules.map(({ name, resources }) => [name, resources.length]),
    [
      ['webserver', 3],
      ['repositories', 2],
    ],
  );
  t.same(Object.keys(document.templates), ['templates/nginx.conf.tmpl']);
  const golden = new URL('golden/overview.json', import.meta.url);
  t.equal(canonicalJson(document), canonicalJson(JSON.parse(readFileSync(golden, 'utf8'))));
  const compose = `  - name: App compose file
    type: file
    target_path: /opt/myapp/docker-compose.yml
    content: |
      services:
        web:
          image: nginx:latest
          ports: ["80:80"]
    notify: [App stack]
  - name: App stack
    type: docker_compose
    compose_file: /opt/myapp/docker-compose.yml
    pull: always
    when: "changed"
`;
  const known = resourceSchemas.has('docker_compose');
  const expected = [
    'modules/m.vgo:13:11 PUBLISH_UNKNOWN_TYPE',
    'unknown resource type "docker_compose"',
  ];
  t.same(brief(await compileFiles(oneModule(compose))), known ? [] : expected);
});

t.test('the stack of the demo has no mistake and needs no root', async (t) => {
  const base = new URL('../../../admin/demo/stack/', import.meta.url);
  const directory = base.pathname.replace(/\/$/, '');
  const diagnostics = new Diagnostics();
  const files = await readStackFiles(nodeDisk(), directory, diagnostics);
  const stack = await compileStack(files, diagnostics);
  t.same(stack.result.diagnostics, []);
  t.ok(stack.result.resources >= 7);
  for (const { resources } of stack.documents[stack.match('any')!]!.modules) {
    for (const { parameters, type } of resources) {
      t.notOk('owner' in parameters || 'group' in parameters);
      t.ok(['file', 'directory', 'symlink', 'file_line'].includes(type));
    }
  }
  for (const [path, text] of files) {
    if (!path.endsWith('.vgo')) continue;
    const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1];
    t.ok(schema, `${path} tells editors its schema`);
    t.ok(existsSync(new URL(schema!, new URL(path, base))), `${schema} is there`);
  }
});

t.test('the same files always make the same bundles', async () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const graph = fc.dictionary(names, fc.uniqueArray(names), { minKeys: 1 });
  await fc.assert(
    fc.asyncProperty(graph, fc.uniqueArray(names, { minLength: 1 }), async (modules, wanted) => {
      const files: Record<string, string> = { 'site.vgo': `match: "*"\nmodules: [${wanted}]\n` };
      for (const [name, others] of Object.entries(modules)) {
        // Only earlier letters: no cycles.
        const before = others.filter((other) => other < name && Object.hasOwn(modules, other));
        files[`modules/${name}.vgo`] = `depends_on: [${before}]\n${show(name)}`;
      }
      const [first, second] = [await compileFiles(files), await compileFiles(files)];
      const [document] = first.documents;
      const order = document!.modules.map(({ name }) => name);
      const sorted = document!.modules.every(({ name, dependsOn }) =>
        dependsOn.every((other) => order.indexOf(other) < order.indexOf(name)),
      );
      return sorted && canonicalJson(first.documents) === canonicalJson(second.documents);
    }),
    { numRuns: 100 },
  );
});

t.test('no file makes the loader fail', async () => {
  const piece = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom(
      'name: ',
      'type: file\n',
      '- ',
      '\n',
      '  ',
      'resources:\n',
      '&a ',
      '*a',
      '{',
      '}',
      '[',
      ']',
      '|\n',
      '"',
      'vars: ',
      'when: ',
      '{{ .Vars.x }}',
      'foreach: ',
      'match: "*"\n',
      'modules: a\n',
    ),
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(text, text, text, async (module, site, common) => {
      const stack = await compileFiles({
        'modules/a.vgo': `name: a\n${module}`,
        'site.vgo': site,
        'common.vgo': common,
        'roles.vgo': module,
      });
      canonicalJson(stack.documents);
      return stack.result.diagnostics.every(({ code }) => code.startsWith('PUBLISH_'));
    }),
    { numRuns: 500 },
  );
});
