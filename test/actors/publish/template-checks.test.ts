/** Without this a typo in a template or a condition would be found by the nodes instead of publish. */
import t from 'tap';
import { brief, compileFiles } from './stacks.ts';

const vars = [
  'vars:',
  '  port: 8080',
  '  name: web',
  '  tls: true',
  '  hosts: [{host: a, ip: 10.0.0.1}, {host: b, ip: 10.0.0.2}]',
  '  limits: {soft: 10, hard: 20}',
];

/** A stack of one module whose file has these lines as its content. */
function withContent(lines: readonly string[]): Record<string, string> {
  const content = lines.map((line) => `      ${line}`);
  const head = [
    'name: m',
    ...vars,
    'resources:',
    '  - name: f',
    '    type: file',
    '    target_path: /f',
    '    content: |',
  ];
  return {
    'modules/m.vgo': `${[...head, ...content].join('\n')}\n`,
    'site.vgo': 'envoys:\n  - match: "*"\n    modules: [m]\n',
  };
}

function withLine(line: string, files: Record<string, string> = {}): Record<string, string> {
  const lines = [
    'name: m',
    ...vars,
    'resources:',
    '  - name: f',
    '    type: file',
    '    target_path: /f',
    line,
  ];
  return {
    'modules/m.vgo': `${lines.join('\n')}\n`,
    'site.vgo': 'envoys:\n  - match: "*"\n    modules: [m]\n',
    ...files,
  };
}

/** Places only, as "line:column (suggestion)", with ? for warnings. */
async function places(files: Record<string, string>): Promise<string[]> {
  const { result } = await compileFiles(files);
  return result.diagnostics.map(({ file, line, column, suggestion, severity }) => {
    const where = file === 'modules/m.vgo' ? '' : `${file}:`;
    return `${where}${line}:${column} ${suggestion ?? '-'}${severity === 'warning' ? ' ?' : ''}`;
  });
}

t.test(
  'a missing variable is named where it stands, whatever way the text is written',
  async (t) => {
    const text = '{{ .Vars.prot }}';
    t.same(await places(withLine(`    content: a ${text}`)), ['12:19 .Vars.port']);
    t.same(await places(withLine(`    content: "a ${text}"`)), ['12:20 .Vars.port']);
    t.same(await places(withLine(`    content: 'a ${text}'`)), ['12:20 .Vars.port']);
    t.same(await places(withContent(['first', `  a ${text}`])), ['14:14 .Vars.port']);
    t.same(
      await places(withLine('    source: templates/f', { 'templates/f': `one\n two ${text}\n` })),
      ['templates/f:2:9 .Vars.port'],
    );
  },
);

t.test(
  'all mistakes of a template are named at once, also in branches that depend on traits',
  async (t) => {
    const lines = [
      '{{ .Vars.nmae }} {{ .Vars.limits.sfot }}',
      '{{ if eq .Traits.os.family "debian" }}{{ .Vars.prot }}{{ else }}{{ .Vars.tsl }}{{ end }}',
      '{{ range .Vars.hosts }}{{ .hots }}{{ $.Vars.naem }}{{ end }}',
      '{{ $l := .Vars.limits }}{{ $l.hrad }}',
      '{{ with .Vars.limits }}{{ .soft }}{{ .hadr }}{{ end }}',
      '{{ template "t" .Vars }}{{ define "t" }}{{ .prt }}{{ end }}',
      '{{ upper }} {{ template "nobody" }}',
    ];
    t.same(await places(withContent(lines)), [
      '13:10 .Vars.name',
      '13:27 .Vars.limits.soft',
      '14:48 .Vars.port',
      '14:74 .Vars.tls',
      '15:33 .host',
      '15:44 $.Vars.name',
      '16:34 $l.hard',
      '17:44 .hard',
      '18:50 .port',
      '19:10 -',
      '19:19 -',
    ]);
  },
);

t.test('what cannot fail on any node is not reported', async (t) => {
  const lines = [
    '{{ range $i, $h := .Vars.hosts }}{{ $i }} {{ $h.host }} {{ .ip }}{{ end }}',
    '{{ with .Vars.limits }}{{ .soft }} {{ $.Vars.port }}{{ end }}',
    '{{ if .Vars.tls }}{{ .Vars.port }}{{ else }}{{ .Vars.not_needed }}{{ end }}',
    '{{ if hasKey .Vars "extra" }}{{ .Vars.extra }}{{ end }}',
    '{{ .Vars.extra | default "none" }} {{ index .Vars "extra" | default 1 }}',
    '{{ $x := 1 }}{{ if eq .Traits.os.family "debian" }}{{ $x = .Vars.hosts }}{{ end }}{{ $x }}',
    '{{ range $k, $v := .Traits.hardware.disks }}{{ $k }} {{ $v.size }}{{ else }}{{ .Vars.port }}{{ end }}',
    '{{ range .Traits.network.ip_addresses }}{{ if eq . "x" }}{{ break }}{{ end }}{{ . }}{{ end }}',
    '{{ template "line" .Traits.os }}{{ define "line" }}{{ .family }} {{ .version }}{{ end }}',
    '{{ with .Traits.os }}{{ .distro | upper }} {{ len .version }} {{ index . "arch" }}{{ end }}',
    '{{ printf "%s-%d" .Traits.os.distro .Vars.port }} {{ and .Traits.os.family .Vars.tls }}',
    '{{ define "walk" }}{{ if . }}{{ template "walk" .next }}{{ end }}{{ end }}{{ template "walk" .Traits.os.family }}',
  ];
  t.same(await places(withContent(lines)), []);
});

t.test(
  'a trait that no agent collects is an error when another was meant, else a warning',
  async (t) => {
    t.same(
      await places(
        withContent([
          '{{ .Traits.os.famly }}',
          '{{ .Traits.weather.rain }}',
          '{{ if .Traits.hadrware.memory_mb }}x{{ end }}',
          '{{ with .Traits.os }}{{ .distor }}{{ end }}',
        ]),
      ),
      ['13:10 .Traits.os.family', '14:10 - ?', '15:13 .Traits.hardware', '16:31 .distro'],
    );
  },
);

t.test('conditions name variables and traits that there are', async (t) => {
  t.same(await places(withLine('    content: x\n    when: "changed && vars.prot > 80"')), [
    '13:23 vars.port',
  ]);
  t.same(await places(withLine("    content: x\n    when: traits.os.distor == 'debian'")), [
    '13:11 traits.os.distro',
  ]);
  t.same(await places(withLine('    content: x\n    when: vars.limits > 5')), ['13:11 -']);
  t.same(
    await places(withLine('    content: x\n    when: |\n      changed &&\n      vars.prot == 1')),
    ['15:7 vars.port'],
  );
  t.same(
    await places(withLine('    content: x\n    when: |\n      changed &&\n      vars.port = 1')),
    ['15:17 -'],
  );
  t.same(
    await places(
      withLine("    content: x\n    when: vars.port > 80 && 'a' in traits.network.ip_addresses"),
    ),
    [],
  );
  t.same(
    await places({
      'modules/m.vgo':
        'name: m\nwhen: vars.tier == "db"\nvars: {tire: web}\nresources: []\n'.replaceAll('"', "'"),
      'site.vgo': 'envoys:\n  - match: "*"\n    modules: [m]\n',
    }),
    ['2:7 vars.tire'],
  );
});

t.test('the message says for whom the variable is missing', async (t) => {
  const [place, message] = brief(await compileFiles(withLine('    content: "{{ .Vars.prot }}"')));
  t.equal(place, 'modules/m.vgo:12:18 PUBLISH_MISSING_VARIABLE');
  t.match(message, /^\.Vars\.prot is not defined for .*site\.vgo.* \(\.Vars\.port\)$/);
});
