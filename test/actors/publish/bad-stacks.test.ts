import t from 'tap';
import { brief, compileFiles, oneModule } from './stacks.ts';

/** What is wrong, the files, and every diagnostic as two lines. */
const cases: [string, Record<string, string>, string[]][] = [
  [
    'a list that is not closed',
    { 'modules/a.vgo': 'name: a\nresources: [\n' },
    [
      'modules/a.vgo:3:1 PUBLISH_YAML_SYNTAX',
      'Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ],
  [
    'a tab',
    { 'modules/a.vgo': 'name: a\nvars:\n\tx: 1\n' },
    ['modules/a.vgo:3:1 PUBLISH_YAML_SYNTAX', 'Tabs are not allowed as indentation'],
  ],
  [
    'a key given twice',
    { 'modules/a.vgo': 'name: a\nname: b\n' },
    ['modules/a.vgo:2:1 PUBLISH_DUPLICATE_KEY', 'Map keys must be unique'],
  ],
  [
    'two documents',
    { 'modules/a.vgo': 'name: a\n---\nname: b\n' },
    [
      'modules/a.vgo:2:1 PUBLISH_YAML_SYNTAX',
      'a file has one document; remove this --- and what is before it, or after it',
    ],
  ],
  [
    'a list for a module',
    { 'modules/a.vgo': '- a\n' },
    ['modules/a.vgo:1:1 PUBLISH_WRONG_SHAPE', 'a module must be a map'],
  ],
  [
    'an unknown key',
    { 'modules/a.vgo': 'name: a\nresurces: []\n' },
    ['modules/a.vgo:2:1 PUBLISH_UNKNOWN_KEY', 'unknown key "resurces" (resources)'],
  ],
  [
    'an unknown type',
    oneModule('  - name: x\n    type: fiel\n    target_path: /x\n'),
    ['modules/m.vgo:4:11 PUBLISH_UNKNOWN_TYPE', 'unknown resource type "fiel" (file)'],
  ],
  [
    'an unknown and a missing parameter',
    oneModule('  - name: x\n    type: file\n    target_pth: /x\n'),
    [
      'modules/m.vgo:3:11 PUBLISH_MISSING_PARAMETER',
      'file "x" needs target_path',
      'modules/m.vgo:5:5 PUBLISH_UNKNOWN_PARAMETER',
      'unknown parameter of file "target_pth" (target_path)',
    ],
  ],
  [
    'three bad values at once',
    oneModule('  - {name: x, type: file, target_path: x, mode: 0999, state: gone}\n'),
    [
      'modules/m.vgo:3:40 PUBLISH_BAD_VALUE',
      'target_path must be an absolute path',
      'modules/m.vgo:3:49 PUBLISH_BAD_VALUE',
      'mode must be an octal mode such as "0644"',
      'modules/m.vgo:3:62 PUBLISH_BAD_VALUE',
      'state must be one of present, absent',
    ],
  ],
  [
    'a mode without quotes',
    oneModule('  - {name: x, type: file, target_path: /x, mode: 0644}\n'),
    [],
  ],
  [
    'content and source',
    oneModule('  - {name: x, type: file, target_path: /x, content: a, source: /y}\n'),
    ['modules/m.vgo:3:64 PUBLISH_EXCLUSIVE_PARAMETERS', 'give content or source, not both'],
  ],
  [
    'a template that is not there',
    oneModule('  - {name: x, type: file, target_path: /x, source: templates/motd.tmpl}\n', {
      'templates/motdx.tmpl': 'hi',
    }),
    [
      'modules/m.vgo:3:52 PUBLISH_UNKNOWN_REFERENCE',
      'unknown template "templates/motd.tmpl" (templates/motdx.tmpl)',
    ],
  ],
  [
    'references to nothing',
    oneModule('  - {name: one, type: file, target_path: /x, depends_on: oen, notify: [nobody]}\n'),
    [
      'modules/m.vgo:3:58 PUBLISH_UNKNOWN_REFERENCE',
      'module "m" has no resource "oen", and no module is called so (one)',
      'modules/m.vgo:3:72 PUBLISH_UNKNOWN_REFERENCE',
      'module "m" has no resource "nobody", and no module is called so',
    ],
  ],
  [
    'resources in a circle',
    oneModule(
      [
        '  - {name: a, type: file, target_path: /a, depends_on: b}',
        '  - {name: b, type: file, target_path: /b, depends_on: c}',
        '  - {name: c, type: file, target_path: /c, before: [], depends_on: a}',
        '',
      ].join('\n'),
    ),
    ['modules/m.vgo:3:12 PUBLISH_CYCLE', 'resources wait for each other: a -> b -> c -> a'],
  ],
  [
    'modules in a circle',
    { 'modules/a.vgo': 'name: a\ndepends_on: b\n', 'modules/b.vgo': 'name: b\ndepends_on: [a]\n' },
    ['modules/a.vgo:1:7 PUBLISH_CYCLE', 'modules depend on each other: a -> b -> a'],
  ],
  [
    'a notified resource without trigger',
    oneModule(
      '  - {name: a, type: file, target_path: /a, notify: b}\n  - {name: b, type: service, service: b}\n',
    ),
    [
      'modules/m.vgo:3:52 PUBLISH_NO_TRIGGER',
      '"b" is notified but acts on every pass; give it when: "changed" (when: "changed")',
    ],
  ],
  [
    'a restart without trigger',
    oneModule('  - {name: b, type: service, service: b, state: restarted}\n'),
    [
      'modules/m.vgo:3:49 PUBLISH_NO_TRIGGER',
      'state restarted would act on every pass; add when: "changed" or subscribes (when: "changed")',
    ],
  ],
  [
    'an exec without guard',
    oneModule('  - {name: b, type: exec, command: "true"}\n'),
    [
      'modules/m.vgo:3:12 PUBLISH_NO_GUARD',
      'exec "b" would run on every pass; add onlyif, unless, creates or when',
    ],
  ],
  [
    'a bad condition',
    oneModule(
      "  - name: b\n    type: group\n    group: b\n    when: \"os_family('debian') && distr('x')\"\n",
    ),
    [
      'modules/m.vgo:6:35 PUBLISH_CONDITION',
      'unknown function distr; did you mean distro? (distro)',
    ],
  ],
  [
    'a bad template in a block',
    oneModule(
      '  - name: b\n    type: file\n    target_path: /b\n    content: |\n      ok\n      {{ if .Vars.x }}\n',
    ),
    ['modules/m.vgo:8:7 PUBLISH_TEMPLATE', '{{ if }} without {{ end }}'],
  ],
  [
    'a missing variable in a block',
    oneModule(
      [
        '  - name: b',
        '    type: file',
        '    target_path: /b',
        '    content: |',
        '      ok',
        '        {{ .Vars.prot }} {{ .Traits.os.family }}',
        'vars: {port: 1}',
        '',
      ].join('\n'),
    ),
    [
      'modules/m.vgo:8:12 PUBLISH_MISSING_VARIABLE',
      '.Vars.prot is not defined for the entry in site.vgo (.Vars.port)',
    ],
  ],
  [
    'a missing variable in quotes',
    oneModule(
      '  - name: b\n    type: file\n    target_path: "/b/{{ .Vars.prot }}"\nvars: {port: 1}\n',
    ),
    [
      'modules/m.vgo:5:25 PUBLISH_MISSING_VARIABLE',
      '.Vars.prot is not defined for the entry in site.vgo (.Vars.port)',
    ],
  ],
  [
    'a missing variable in a template file',
    oneModule('  - {name: b, type: file, target_path: /b, source: templates/x}\n', {
      'templates/x': 'a\n {{ .Vars.nope }}\n',
    }),
    [
      'templates/x:2:5 PUBLISH_MISSING_VARIABLE',
      '.Vars.nope is not defined for the entry in site.vgo',
    ],
  ],
  [
    'a path of the agent, by way of a variable',
    oneModule('  - {name: b, type: file, target_path: "/etc/{{ .Vars.d }}/x"}\nvars: {d: vigo}\n'),
    [
      'modules/m.vgo:3:12 PUBLISH_GUARDRAIL',
      'not allowed: /etc/vigo/x is within /etc/vigo, which belongs to Vigo',
    ],
  ],
  [
    'a command against the server',
    oneModule('  - {name: b, type: exec, command: systemctl stop vigosrv, unless: "false"}\n'),
    [
      'modules/m.vgo:3:36 PUBLISH_GUARDRAIL',
      'not allowed: stopping or disabling vigosrv, which keeps Vigo running',
    ],
  ],
  [
    'unknown roles and modules',
    {
      'site.vgo': 'envoys:\n  - match: "*"\n    roles: [web]\n    modules: nginx\n',
      'roles.vgo': 'roles:\n  - {name: wbe, modules: [x]}\n',
    },
    [
      'roles.vgo:2:27 PUBLISH_UNKNOWN_REFERENCE',
      'unknown module "x"',
      'site.vgo:3:13 PUBLISH_UNKNOWN_REFERENCE',
      'unknown role "web" (wbe)',
      'site.vgo:4:14 PUBLISH_UNKNOWN_REFERENCE',
      'unknown module "nginx"',
    ],
  ],
  [
    'an entry without match',
    { 'site.vgo': 'envoys:\n  - matc: "*"\n' },
    [
      'site.vgo:2:5 PUBLISH_UNKNOWN_KEY',
      'unknown key "matc" (match)',
      'site.vgo:2:5 PUBLISH_MISSING_KEY',
      'the entry has no match',
    ],
  ],
  [
    'an entry that is never reached',
    { 'site.vgo': 'envoys:\n  - match: "*"\n  - match: "a*"\n' },
    [
      'site.vgo:3:12 PUBLISH_UNREACHABLE_ENTRY',
      'an earlier entry in site.vgo matches every host of "a*"',
    ],
  ],
  [
    'foreach over nothing',
    oneModule(
      '  - {name: b, type: file, target_path: "/b/{{ .Item }}", foreach: lst}\nvars: {list: [a]}\n',
    ),
    ['modules/m.vgo:3:67 PUBLISH_MISSING_VARIABLE', 'unknown variable "lst" (list)'],
  ],
  [
    'a name used twice',
    oneModule(
      '  - {name: b, type: file, target_path: /b}\n  - {name: b, type: file, target_path: /c}\n',
    ),
    ['modules/m.vgo:4:12 PUBLISH_DUPLICATE_NAME', 'another resource of the module is called "b"'],
  ],
  [
    'a YAML bomb',
    {
      'modules/a.vgo':
        'name: a\nvars:\n' +
        Array.from(
          { length: 10 },
          (_, i) =>
            `  v${i}: &v${i} [${
              i === 0
                ? 'x'
                : Array(9)
                    .fill(`*v${i - 1}`)
                    .join(',')
            }]\n`,
        ).join(''),
    },
    ['modules/a.vgo:8:44 PUBLISH_LIMIT', 'more than 200000 values after following the aliases'],
  ],
  [
    'deep nesting',
    { 'modules/a.vgo': `name: a\nvars: {x: ${'['.repeat(50)}${']'.repeat(50)}}\n` },
    ['modules/a.vgo:2:42 PUBLISH_LIMIT', 'more than 32 levels'],
  ],
  [
    'an alias of itself',
    { 'modules/a.vgo': 'name: a\nvars: &v {x: *v}\n' },
    ['modules/a.vgo:2:14 PUBLISH_LIMIT', 'more than 32 levels'],
  ],
  [
    'an environment with an unknown module',
    { 'environments.vgo': 'env:\n  prod: {modules: [q]}\n' },
    ['environments.vgo:2:20 PUBLISH_UNKNOWN_REFERENCE', 'unknown module "q"'],
  ],
];

t.test('every mistake is named with its place, and all of them at once', async (t) => {
  for (const [name, files, expected] of cases) {
    t.same(brief(await compileFiles(files)), expected, name);
  }
});

t.test('no pattern can keep the server busy', async (t) => {
  const stack = await compileFiles({ 'site.vgo': `match: "${'*a'.repeat(30)}"\n` });
  t.match(brief(stack), ['site.vgo:1:8 PUBLISH_LIMIT', /8 stars/]);
  const literal = await compileFiles({ 'site.vgo': 'match: "+(a|aa)+(a|aa)b"\n' });
  t.equal(literal.match('a'.repeat(40)), undefined);
});

t.test('a diagnostic shows the line that it is about', async (t) => {
  const stack = await compileFiles(oneModule('  - {name: x, type: fiel}\n'));
  t.match(stack.result.diagnostics, [
    { severity: 'error', excerpt: '  - {name: x, type: fiel}', suggestion: 'file' },
  ]);
});

t.test('no number of warnings hides an error', async (t) => {
  const entries = Array.from({ length: 1200 }, (_, index) => `  - {match: h${index}}\n`).join('');
  const stack = await compileFiles({
    'a.vgo': 'match: "*"\n',
    'b.vgo': `envoys:\n${entries}`,
    'modules/z.vgo': 'name: z\nresources: [{type: fiel}]\n',
  });
  t.equal(stack.result.diagnostics.filter(({ severity }) => severity === 'warning').length, 1000);
  t.match(
    stack.result.diagnostics.find(({ severity }) => severity === 'error'),
    { code: 'PUBLISH_UNKNOWN_TYPE' },
  );
});

t.test(
  'thousands of slips in a large stack are named at once, some without a suggestion',
  async (t) => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 1000; index += 1) {
      files[`modules/m${index}.vgo`] = `name: module-number-${index}\n`;
    }
    const slips = Array.from({ length: 3000 }, (_, index) => `modul-numbr-${index}x`);
    files['site.vgo'] = `match: "*"\nmodules: [${slips.join(', ')}]\n`;
    const { diagnostics } = (await compileFiles(files)).result;
    t.equal(diagnostics.length, 1000);
    const helped = diagnostics.filter(({ suggestion }) => suggestion !== undefined);
    t.equal(helped.length, 100, 'the search for names has its limit');
  },
);
