import t from 'tap';
import { brief, compileFiles, oneModule } from './stacks.ts';

async function resources(text: string): Promise<(readonly [string, unknown, unknown])[]> {
  const stack = await compileFiles(oneModule(text));
  t.same(brief(stack), []);
  return stack.documents[0]!.modules[0]!.resources.map(
    ({ name, item, dependsOn }) => [name, item, dependsOn] as const,
  );
}

t.test('foreach takes a list, a map, a path into maps, or elements in place', async (t) => {
  const found = await resources(
    [
      '  - {name: map, type: group, group: "{{ .Item.key }}", foreach: groups}',
      '  - {name: path, type: group, group: "p{{ .Item }}", foreach: app.users}',
      '  - {name: prefixed, type: group, group: "q{{ .Item }}", foreach: .Vars.app.users}',
      '  - {name: "in place {{ .Each.id }}", type: group, group: "{{ .Item.id }}", foreach: [{id: a}, {id: b}]}',
      '  - {name: after, type: group, group: z, depends_on: [map, "in place {{ .Each.id }}"]}',
      'vars:',
      '  groups: {beta: {gid: 2}, alpha: {gid: 1}}',
      '  app: {users: [x]}',
      '',
    ].join('\n'),
  );
  t.same(found, [
    ['map [alpha]', { key: 'alpha', value: { gid: 1 } }, []],
    ['map [beta]', { key: 'beta', value: { gid: 2 } }, []],
    ['path [x]', 'x', []],
    ['prefixed [x]', 'x', []],
    ['in place a', { id: 'a' }, []],
    ['in place b', { id: 'b' }, []],
    ['after', undefined, ['map [alpha]', 'map [beta]', 'in place a', 'in place b']],
  ]);
});

t.test('the legacy layout gives the same as the new one', async (t) => {
  const module =
    'name: app\nresources:\n  - {type: group, group: "{{ .Vars.who }}{{ .Vars.port }}"}\n';
  const legacy = await compileFiles({
    'modules/app.vgo': module,
    'roles/web.vgo': 'modules: [app]\n',
    'vars/site.vgo': 'who: www\nport: 1\n',
    'vars/wrapped.vgo': 'vars: {other: x}\n',
    'common.vgo': 'vars: {port: 2}\n',
    'envoys/nodes.vgo': 'envoys:\n  - match: "*"\n    roles: [web]\n',
  });
  t.same(brief(legacy), []);
  t.same(legacy.documents[0]!.modules[0]!.vars, { who: 'www', other: 'x', port: 2 });
  for (const entries of ['nodes:\n  - {match: "*", roles: web}\n', 'match: "*"\nroles: web\n']) {
    const current = await compileFiles({
      'modules/app.vgo': module,
      'roles.vgo': 'roles:\n  - {name: web, configcrates: app}\n',
      'common.vgo': 'vars: {who: www, other: x, port: 2}\n',
      'site.vgo': entries,
    });
    t.same(current.documents, legacy.documents);
  }
});

t.test(
  'a resource is compared with the others of its envoy, and only when it is certain',
  async (t) => {
    const pair = async (first: string, second: string) =>
      brief(await compileFiles(oneModule(`  - {name: a, ${first}}\n  - {name: b, ${second}}\n`)));
    const agreeing: [string, string][] = [
      ['type: package, package: nano', 'type: package, package: nano, state: latest'],
      ['type: file, target_path: /x, content: a', 'type: file, target_path: /x, mode: "0644"'],
      [
        `type: package, package: x, when: "os_family('debian')"`,
        `type: package, package: x, state: absent, when: "os_family('redhat')"`,
      ],
      [
        'type: service, service: x, notify: c',
        'type: service, service: x, state: restarted, when: "changed"',
      ],
      ['type: file, target_path: /x, mode: "0600"', 'type: file_line, target_path: /x, line: y'],
      ['type: file, target_path: "/{{ .Traits.os.family }}"', 'type: directory, target_path: /x'],
      [
        'type: file, target_path: /x, state: absent',
        'type: directory, target_path: /x, state: absent',
      ],
    ];
    for (const [first, second] of agreeing) {
      const found = (await pair(first.replace(', notify: c', ''), second)).join();
      t.notMatch(found, /PUBLISH_CONTRADICTION/, `${first} and ${second}`);
    }
    const contradicting: [string, string, RegExp][] = [
      [
        'type: file, target_path: /x',
        'type: directory, target_path: /y/../x',
        /one makes it a file/,
      ],
      ['type: service, service: x', 'type: service, service: x.service, state: stopped', /stopped/],
      ['type: user, username: u, uid: 5', 'type: user, username: u, uid: 6', /different uid/],
      [
        'type: symlink, target_path: /l, to: /a',
        'type: symlink, target_path: /l, to: /b',
        /different to/,
      ],
      [
        'type: group, group: g',
        `type: group, group: g, state: absent, when: "os_family('x')"`,
        /absent/,
      ],
    ];
    for (const [first, second, reason] of contradicting) {
      t.match(await pair(first, second), [/^modules\/m.vgo:4:12 PUBLISH_CONTRADICTION/, reason]);
    }
  },
);

t.test('both places of a contradiction are told, also across modules', async (t) => {
  const { result } = await compileFiles({
    'modules/a.vgo': 'name: a\nresources:\n  - {name: x, type: group, group: g, gid: 1}\n',
    'modules/b.vgo': 'name: b\nresources:\n  - {name: y, type: group, group: g, gid: 2}\n',
    'site.vgo':
      'envoys:\n  - {match: one, modules: [a]}\n  - {match: both, modules: [a, b]}\n  - {match: two, modules: [b]}\n',
  });
  t.match(result.diagnostics, [
    {
      file: 'modules/b.vgo',
      line: 3,
      message: 'group g is managed by "a/x" too, and they disagree: different gid',
      related: [{ file: 'modules/a.vgo', line: 3, column: 12 }],
    },
  ]);
  t.equal(result.diagnostics.length, 1);
});

t.test('what a conditional variable may not decide is refused with its place', async (t) => {
  const module = (rest: string) =>
    compileFiles({
      'modules/m.vgo': `name: m\nvars: {list: [a], name: x}\nconditional_vars:\n  - {when: "os_family('debian')", vars: {list: [b], name: y}}\n${rest}`,
      'site.vgo': 'match: "*"\nmodules: m\n',
    });
  const codes = async (rest: string) =>
    (await module(rest)).result.diagnostics.map(({ code, line }) => `${line} ${code}`);
  t.same(await codes('resources:\n  - {type: group, group: "{{ .Vars.name }}"}\n'), []);
  t.same(await codes('resources:\n  - {type: group, group: "{{ .Item }}", foreach: list}\n'), [
    '6 PUBLISH_BAD_VALUE',
  ]);
  t.same(await codes('resources:\n  - {name: "{{ .Vars.name }}", type: group, group: g}\n'), [
    '6 PUBLISH_TEMPLATE',
  ]);
  t.same(
    await codes(
      'when: "{{ if eq .Vars.name \\"x\\" }}is_container{{ else }}!is_container{{ end }}"\n',
    ),
    ['5 PUBLISH_CONDITION'],
  );
  t.same(
    await codes(
      'resources:\n  - {type: file, target_path: "/etc/{{ if eq .Vars.name \\"y\\" }}vigo{{ else }}z{{ end }}/x"}\n',
    ),
    ['6 PUBLISH_GUARDRAIL'],
    'also what only shows where the condition holds',
  );
});
