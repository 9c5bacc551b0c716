import t from 'tap';
import type { ModuleExplanation } from '../../../actors/publish/stack/explain.ts';
import { brief, compileFiles } from './stacks.ts';

const files = {
  'common.vgo': 'modules: [base]\nvars:\n  domain: example.com\n  port: 1\n',
  'environments.vgo':
    'env:\n  production:\n    modules: [waf]\n    exclude_modules: [debug]\n    vars: {port: 5}\n',
  'roles.vgo': 'roles:\n  - name: web\n    modules: [nginx, debug]\n',
  'vars/all.vgo': 'zone: UTC\n',
  'modules/base.vgo':
    'name: base\nresources:\n  - {name: g, type: group, group: "{{ .Vars.zone }}"}\n',
  'modules/debug.vgo': 'name: debug\n',
  'modules/tls.vgo': 'name: tls\n',
  'modules/waf.vgo': 'name: waf\n',
  'modules/nginx.vgo': [
    'name: nginx',
    'depends_on: [tls]',
    'when: "!is_container"',
    'defaults: {owner: root}',
    'vars: {port: 80, users: [ann, bob]}',
    'conditional_vars:',
    `  - {when: "os_family('redhat')", vars: {port: 8080}}`,
    'environment_overrides: {production: {vars: {port: 443}}}',
    'resources:',
    '  - name: site',
    '    type: file',
    '    target_path: "/etc/{{ .Item }}"',
    '    foreach: users',
    '',
  ].join('\n'),
  'prod/web.vgo': [
    'envoys:',
    '  - match: "web-*"',
    '    environment: production',
    '    roles: [web]',
    '    vars: {port: 3}',
    '  - match: "*"',
    '    modules: [base]',
    '',
  ].join('\n'),
};

const at = (file: string, line: number, column: number) => ({ file, line, column });

t.test('a trace tells of each module why it is in, or what took it out', async (t) => {
  const stack = await compileFiles(files);
  t.same(brief(stack), []);
  const { matched, shadowed, entry } = stack.explainHost('WEB-7');
  t.same(matched, { entry: 0, pattern: 'web-*', place: at('prod/web.vgo', 2, 12) });
  t.same(shadowed, [{ entry: 1, pattern: '*', place: at('prod/web.vgo', 6, 12) }]);
  t.same(
    entry?.layers.map(({ layer, place }) => `${layer} ${place.file}`),
    [
      'common vars/all.vgo',
      'common common.vgo',
      'entry prod/web.vgo',
      'environment environments.vgo',
    ],
  );
  const reasons = Object.fromEntries(
    (entry?.modules ?? []).map((module) => [module.name, module.reasons]),
  );
  t.same(reasons, {
    base: [{ kind: 'common', place: at('common.vgo', 1, 11) }],
    tls: [{ kind: 'dependency', place: at('modules/nginx.vgo', 2, 14), neededBy: 'nginx' }],
    nginx: [
      {
        kind: 'entry',
        place: at('roles.vgo', 3, 15),
        role: { name: 'web', place: at('prod/web.vgo', 4, 13) },
      },
    ],
    waf: [{ kind: 'environment', environment: 'production', place: at('environments.vgo', 3, 15) }],
  });
  t.match(entry?.excluded, [
    {
      name: 'debug',
      reasons: [{ role: { name: 'web' } }],
      excludedBy: [{ kind: 'environment', place: at('environments.vgo', 4, 23) }],
    },
  ]);
  t.same(stack.explainHost('laptop').shadowed, []);
  const none = { ...files, 'prod/web.vgo': 'match: x\n' };
  t.same((await compileFiles(none)).explainHost('y'), { hostname: 'y', shadowed: [] });
});

t.test(
  'a trace tells of each variable which layers it overrode, in the order of merging',
  async (t) => {
    const stack = await compileFiles(files);
    const nginx = stack
      .explain(0)!
      .modules.find(({ name }) => name === 'nginx') as ModuleExplanation;
    const port = nginx.vars.find(({ name }) => name === 'port')!;
    t.match(port, { layer: 'environment', value: 5, place: at('environments.vgo', 5, 12) });
    t.same(
      port.overridden.map(({ layer, value, place }) => [layer, value, place.file, place.line]),
      [
        ['module-environment', 443, 'modules/nginx.vgo', 8],
        ['entry', 3, 'prod/web.vgo', 5],
        ['common', 1, 'common.vgo', 4],
        ['module', 80, 'modules/nginx.vgo', 5],
      ],
    );
    t.same(port.conditional, [
      { when: "os_family('redhat')", value: 8080, place: at('modules/nginx.vgo', 7, 42) },
    ]);
    const document = stack.documents[0]!.modules.find(({ name }) => name === 'nginx')!;
    for (const { name, value } of nginx.vars) t.equal(document.vars[name], value, name);
    t.same(nginx.when, { text: '!is_container', place: at('modules/nginx.vgo', 3, 7) });
    t.match(nginx.resources, [
      {
        name: 'site [ann]',
        foreach: { variable: 'users', item: 'ann' },
        parameters: [
          { name: 'target_path', from: 'resource', place: at('modules/nginx.vgo', 12, 5) },
          { name: 'owner', from: 'defaults', place: at('modules/nginx.vgo', 4, 12) },
        ],
      },
      { name: 'site [bob]' },
    ]);
  },
);

t.test('the overview has everything that a tree or a search shows', async (t) => {
  const { modules, roles, entries } = (await compileFiles(files)).overview();
  t.match(
    modules.find(({ name }) => name === 'base'),
    {
      entries: [0, 1],
      resources: [{ name: 'g', type: 'group' }],
      place: at('modules/base.vgo', 1, 7),
    },
  );
  t.match(roles, [{ name: 'web', modules: ['nginx', 'debug'] }]);
  t.match(entries, [
    { patterns: ['web-*'], environment: 'production', modules: ['base', 'tls', 'nginx', 'waf'] },
    { patterns: ['*'], modules: ['base'] },
  ]);
});
