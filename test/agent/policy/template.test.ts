import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { parseTemplate } from '../../../agent/policy/template/template.ts';
import { fc } from '../../support/property.ts';

const data = {
  Vars: {
    name: 'web',
    port: 8080,
    ratio: 0.5,
    tiny: 0.00001,
    on: true,
    off: false,
    none: null,
    empty: '',
    list: ['a', 'b', 'c'],
    users: [{ name: 'ann' }, { name: 'bob' }],
    map: { z: 1, a: { b: [1, 'x'] } },
    html: `<a href="x">'&'</a>`,
  },
  Traits: { os: { family: 'debian' } },
  Item: { key: 'k' },
};

const good: [string, string][] = [
  ['plain } text {', 'plain } text {'],
  ['{{ .Vars.name }}:{{ .Vars.port }}', 'web:8080'],
  ['{{ .Vars.ratio }} {{ .Vars.tiny }} {{ .Vars.on }}', '0.5 1e-05 true'],
  ['{{ .Vars.map }} {{ .Vars.list }}', 'map[a:map[b:[1 x]] z:1] [a b c]'],
  ['{{ .Item.key }} {{ $.Traits.os.family }}', 'k debian'],
  ['a {{- " b " -}} \n c', 'a b c'],
  ['a{{/* no */}}b {{- /* no */ -}} c', 'abc'],
  ['{{ if .Vars.off }}1{{ else if .Vars.empty }}2{{ else if .Vars.on }}3{{ else }}4{{ end }}', '3'],
  ['{{ if and .Vars.on (gt .Vars.port 80) }}y{{ end }}', 'y'],
  ['{{ range .Vars.list }}{{ . }}{{ else }}none{{ end }}', 'abc'],
  ['{{ range $i, $v := .Vars.list }}{{ $i }}={{ $v }};{{ end }}', '0=a;1=b;2=c;'],
  ['{{ range $k, $v := .Vars.map }}{{ $k }} {{ end }}', 'a z '],
  ['{{ range .Vars.users }}{{ .name }}@{{ $.Vars.name }} {{ end }}', 'ann@web bob@web '],
  ['{{ range .Vars.empty | split "," }}x{{ end }}', 'x'],
  ['{{ range slice .Vars.list 3 }}x{{ else }}none{{ end }}', 'none'],
  ['{{ range .Vars.list }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}', 'ac'],
  ['{{ range .Vars.list }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}', 'a'],
  ['{{ with .Vars.map.a }}{{ index .b 1 }}{{ end }}', 'x'],
  ['{{ with $x := .Vars.name }}{{ $x }}{{ . }}{{ end }}', 'webweb'],
  ['{{ with .Vars.empty }}x{{ else }}{{ .Vars.name }}{{ end }}', 'web'],
  ['{{ $n := 1 }}{{ range .Vars.list }}{{ $n = . }}{{ end }}{{ $n }}', 'c'],
  ['{{ (index .Vars.users 1).name }}', 'bob'],
  ['{{ index .Vars "map" "a" "b" 0 }}', '1'],
  ['{{ if index .Vars "nope" }}y{{ else }}n{{ end }}', 'n'],
  [
    '{{ eq .Vars.port 1 2 8080 }} {{ ne 1 2 }} {{ lt "a" "b" }} {{ le 2 2 }} {{ ge 1 2 }}',
    'true true true true false',
  ],
  ['{{ len .Vars.list }} {{ len "äb" }} {{ len .Vars.map }}', '3 3 2'],
  ['{{ slice "hello" 1 3 }}', 'el'],
  ['{{ print 1 2 "a" "b" 3 }}', '1 2ab3'],
  ['{{ println "a" 1 }}', 'a 1\n'],
  [
    '{{ printf "%05d|%-4s|%q|%x|%.2f|%v|%t|%%" 42 "ab" "q\\"" 255 1.5 .Vars.list true }}',
    '00042|ab  |"q\\""|ff|1.50|[a b c]|true|%',
  ],
  [
    '{{ printf "%d" "x" }} {{ printf "%s" }} {{ printf "a" 1 }}',
    '%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)',
  ],
  ['{{ html .Vars.html }}', '&lt;a href=&#34;x&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;'],
  ['{{ js "it\'s <b>" }}', "it\\'s \\u003Cb\\u003E"],
  ['{{ urlquery "a b&c/é" }}', 'a+b%26c%2F%C3%A9'],
  ['{{ .Vars.name | upper | printf "%s-%s" "x" }}', 'x-WEB'],
  ['{{ .Vars.list | join "," }} {{ "a-b" | replace "-" "+" }} {{ trim " x " }}', 'a,b,c a+b x'],
  ['{{ .Vars.nope | default "d" }} {{ default 1 .Vars.port }}', 'd 8080'],
  [
    '{{ quote .Vars.name }} {{ contains "e" "web" }} {{ hasPrefix "w" "web" }} {{ hasSuffix "w" "web" }}',
    '"web" true true false',
  ],
  ['{{ indent 2 "a\\n\\nb" }}', '  a\n\n  b'],
  [
    "{{ 'a' }} {{ 0x10 }} {{ 010 }} {{ 1e3 }} {{ -1.5 }} {{ `raw\\n` }}",
    '97 16 8 1000 -1.5 raw\\n',
  ],
  ['cat {{secret_file}}', 'cat {{secret_file}}'],
  ['{{ or .Vars.empty "x" }}{{ and 1 0 .Vars.nope }}', 'x0'],
];

t.test('templates give what Go gives', (t) => {
  for (const [source, expected] of good) {
    t.equal(parseTemplate(source).render(data), expected, source);
  }
  t.end();
});

const bad: [string, string, string, RegExp][] = [
  ['a\n  {{ .Vars.nope }}', 'POLICY_TEMPLATE_MISSING_KEY', '2:6', /\.Vars\.nope is not defined/],
  ['{{ .Vars.map.q.r }}', 'POLICY_TEMPLATE_MISSING_KEY', '1:4', /\.Vars\.map\.q /],
  ['{{ .Vars.__proto__ }}', 'POLICY_TEMPLATE_MISSING_KEY', '1:4', /not defined/],
  ['{{ .Vars.none }}', 'POLICY_TEMPLATE_EXECUTION', '1:4', /null/],
  ['{{ .Vars.name.x }}', 'POLICY_TEMPLATE_EXECUTION', '1:4', /type string/],
  ['{{ eq 1 "a" }}', 'POLICY_TEMPLATE_EXECUTION', '1:4', /incompatible/],
  ['{{ index .Vars.list 9 }}', 'POLICY_TEMPLATE_EXECUTION', '1:4', /out of range/],
  ['{{ range .Vars.name }}{{ end }}', 'POLICY_TEMPLATE_EXECUTION', '1:10', /iterate/],
  ['{{ uper "a" }}', 'POLICY_TEMPLATE_SYNTAX', '1:4', /did you mean upper/],
  ['{{ upper }}', 'POLICY_TEMPLATE_EXECUTION', '1:4', /takes 1 arguments, got 0/],
  ['{{ if .Vars.on }}', 'POLICY_TEMPLATE_SYNTAX', '1:1', /without \{\{ end/],
  ['{{ end }}', 'POLICY_TEMPLATE_SYNTAX', '1:1', /unexpected/],
  ['{{ $x }}', 'POLICY_TEMPLATE_SYNTAX', '1:4', /undefined variable/],
  ['{{ if $x := 1 }}{{ end }}{{ $x }}', 'POLICY_TEMPLATE_SYNTAX', '1:29', /undefined variable/],
  ['{{ break }}', 'POLICY_TEMPLATE_SYNTAX', '1:1', /outside/],
  ['{{ .Vars.x', 'POLICY_TEMPLATE_SYNTAX', '1:1', /not closed/],
  ['{{ }}', 'POLICY_TEMPLATE_SYNTAX', '1:4', /missing/],
  ['{{ "a }}', 'POLICY_TEMPLATE_SYNTAX', '1:4', /not closed/],
  ['{{ template "x" }}', 'POLICY_TEMPLATE_EXECUTION', '1:1', /not defined/],
  [
    '{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}',
    'POLICY_TEMPLATE_LIMIT',
    '',
    /levels/,
  ],
  [`${'{{ if 1 }}'.repeat(70)}`, 'POLICY_TEMPLATE_LIMIT', '', /levels/],
  [`{{ ${'('.repeat(70)}1${')'.repeat(70)} }}`, 'POLICY_TEMPLATE_LIMIT', '', /levels/],
];

t.test('a mistake is named with line and column', (t) => {
  for (const [source, code, place, message] of bad) {
    try {
      parseTemplate(source).render(data);
      t.fail(`accepted ${source}`);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      t.equal(error.code, code, source.slice(0, 60));
      if (place !== '') t.equal(`${error.details.line}:${error.details.column}`, place);
      t.match(error.message, message);
    }
  }
  t.end();
});

t.test('a template that explodes is stopped', (t) => {
  const doubling =
    '{{ $x := "aaaaaaaaaaaaaaaa" }}{{ range .Vars.list }}' +
    '{{ range $.Vars.list }}{{ range $.Vars.list }}{{ $x = printf "%s%s" $x $x }}{{ end }}{{ end }}{{ end }}';
  t.throws(() => parseTemplate(doubling).render(data), { code: 'POLICY_TEMPLATE_LIMIT' });
  const loops =
    '{{ range .Vars.list }}'.replace('.Vars', '$.Vars').repeat(14) + '{{ end }}'.repeat(14);
  t.throws(() => parseTemplate(loops).render(data), { code: 'POLICY_TEMPLATE_LIMIT' });
  t.end();
});

t.test('publish learns which variables a template can read', (t) => {
  const source =
    '{{ .Vars.a.b }}{{ if $.Vars.c }}{{ .Traits.d }}{{ end }}{{ .Vars.e | default 1 }}' +
    '{{ range .Vars.f }}{{ .Vars.g }}{{ $.Vars.h }}{{ end }}{{ template "t" .Vars.i }}' +
    '{{ define "t" }}{{ .x }}{{ $.y }}{{ end }}';
  const found = parseTemplate(source).references();
  t.same(
    found.map(({ root, path }) => [root, ...path].join('.')),
    ['Vars.a.b', 'Vars.c', 'Traits.d', 'Vars.e', 'Vars.f', 'Vars.h', 'Vars.i'],
  );
  t.end();
});

const piece = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom(
    '{{',
    '}}',
    '{{- ',
    ' -}}',
    '|',
    '(',
    ')',
    '$',
    '$x',
    ':=',
    '.Vars',
    '.name',
    '"',
    '`',
    ' if ',
    ' range ',
    ' end ',
    ' else ',
    ' with ',
    ' printf ',
    '/*',
    '*/',
    ' 1 ',
    ' index ',
    ' .Vars.list ',
  ),
);

t.test('no text makes parser or renderer fail without a code', async () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      try {
        const template = parseTemplate(pieces.join(''));
        const first = template.render(data);
        return template.render(data) === first;
      } catch (error) {
        return error instanceof AgentError && error.code.startsWith('POLICY_TEMPLATE_');
      }
    }),
    { numRuns: 1000 },
  );
});

t.test('text without actions comes out as it went in', async () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      return text.includes('{{') || parseTemplate(text).render(data) === text;
    }),
  );
});
