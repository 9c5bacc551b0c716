/** Without this a helper would not do what docs/templates.md promises and Sprig's users expect. */
import t from 'tap';
import { AgentError } from '../../../agent/errors.ts';
import { templateFunctions } from '../../../agent/policy/template/functions.ts';
import { parseTemplate } from '../../../agent/policy/template/template.ts';

const data = {
  Vars: {
    name: 'web',
    on: true,
    none: null,
    list: ['b', 'a', 'b'],
    map: { b: 1, a: [true, null] },
  },
  Traits: {},
};

const good: [string, string][] = [
  ['{{ title "hello wide world" }}', 'Hello Wide World'],
  [`{{ squote "a" }} {{ shellQuote "it's" }}`, `'a' 'it'\\''s'`],
  ['{{ toString 5 }}{{ int "42" }}{{ int 2.9 }}', '5422'],
  ['{{ .Vars.list | join "-" }} {{ join "," (list 1 true "x") }}', 'b-a-b 1,true,x'],
  ['{{ trunc 3 "abcdef" }} {{ trunc 3 "aöü" }}', 'abc aö'],
  ['{{ .Vars.nope | default "d" }} {{ default 1 0 }} {{ default 1 2 }}', 'd 1 2'],
  ['{{ coalesce .Vars.nope "" "x" }}', 'x'],
  ['{{ empty .Vars.nope }} {{ empty "" }} {{ empty .Vars.name }}', 'true true false'],
  ['{{ .Vars.name | required "name it" }}', 'web'],
  ['{{ .Vars.on | ternary "yes" "no" }} {{ ternary 1 2 false }}', 'yes 2'],
  ['{{ first .Vars.list }}{{ last .Vars.list }}{{ rest .Vars.list }}', 'bb[a b]'],
  ['{{ append .Vars.list "c" }} {{ concat .Vars.list (list 1) }}', '[b a b c] [b a b 1]'],
  [
    '{{ reverse .Vars.list }} {{ uniq .Vars.list }} {{ sortAlpha .Vars.list }}',
    '[b a b] [b a] [a b b]',
  ],
  ['{{ has "a" .Vars.list }} {{ has "x" .Vars.list }} {{ has 1 (list "1") }}', 'true false false'],
  ['{{ (dict "k" 1 "l" "m").l }} {{ dict }}', 'm map[]'],
  ['{{ keys .Vars.map }} {{ values .Vars.map }}', '[a b] [[true <nil>] 1]'],
  ['{{ hasKey .Vars.map "a" }} {{ hasKey .Vars.map "x" }}', 'true false'],
  ['{{ get .Vars.map "b" }} {{ get .Vars.map "x" "fallback" }}', '1 fallback'],
  ['{{ merge (dict "a" 1) (dict "a" 2 "b" 3) }}', 'map[a:1 b:3]'],
  [
    '{{ toJson .Vars.map }} {{ toJson "a\\"<" }} {{ toJson 1.0 }}',
    '{"a":[true,null],"b":1} "a\\"<" 1',
  ],
  ['{{ b64enc "grüße" }} {{ b64dec "Z3LDvMOfZQ==" }} {{ b64dec "" }}', 'Z3LDvMOfZQ== grüße '],
  [
    '{{ add 2 3 }} {{ sub 2 3 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 2 }} {{ min 1 2 }}',
    '5 -1 6 3 1 2 1',
  ],
  ['{{ div -7 2 }} {{ mod -7 2 }} {{ add "2" 3 }}', '-3 -1 5'],
  ['{{ nindent 2 "a" }}', '\n  a'],
  ['{{ secret_file }}', '{{secret_file}}'],
  ['{{ "secret:db/password" }} secret:db/password', 'secret:db/password secret:db/password'],
];

t.test('helpers do what their table says', (t) => {
  for (const [source, expected] of good) {
    t.equal(parseTemplate(source).render(data), expected, source);
  }
  t.end();
});

const refused: [string, RegExp][] = [
  ['{{ .Vars.nope | required "set nope" }}', /set nope/],
  ['{{ fail "not here" }}', /not here/],
  ['{{ upper .Vars.list }}', /expected text/],
  ['{{ join "," .Vars.name }}', /join wants a list/],
  ['{{ dict "a" }}', /pairs/],
  ['{{ b64dec "%%%%" }}', /no base64/],
  ['{{ b64dec "/w==" }}', /not UTF-8/],
  ['{{ div 1 0 }}', /no whole number/],
  ['{{ indent 100000 "a" }}', /0 to 1000/],
  ['{{ keys .Vars.list }}', /expected a map/],
  ['{{ int "1.5x" }}', /no whole number/],
  ['{{ slice "ä" 0 1 }}', /cuts a character/],
];

t.test('helpers refuse what they cannot work on', (t) => {
  for (const [source, reason] of refused) {
    t.throws(
      () => parseTemplate(source).render(data),
      { code: 'POLICY_TEMPLATE_EXECUTION', message: reason },
      source,
    );
  }
  t.end();
});

const greedy = [
  '{{ repeat 9000000000000000 "a" }}',
  '{{ printf "%1000000d%1000000d%1000000d%1000000d%1000000d" 1 1 1 1 1 }}',
  '{{ $x := "aaaaaaaaaaaaaaaa" }}{{ range slice (split "" (repeat 64 "a")) 0 }}{{ $x = print $x $x }}{{ end }}',
  '{{ $x := list 1 1 }}{{ range split "" (repeat 64 "a") }}{{ $x = list $x $x }}{{ end }}{{ $x }}',
  '{{ $x := list 1 1 }}{{ range split "" (repeat 64 "a") }}{{ $x = list $x $x }}{{ end }}{{ toJson $x }}',
  '{{ $x := list 1 1 }}{{ range split "" (repeat 64 "a") }}{{ $x = concat $x $x }}{{ end }}',
  '{{ $x := repeat 1000000 "a" }}{{ range split "" (repeat 5000 "a") }}{{ if contains "b" $x }}{{ end }}{{ end }}',
  '{{ replace "a" (repeat 100000 "b") (repeat 100000 "a") }}',
  '{{ $x := repeat 100000 "a" }}{{ join $x (split "" $x) }}',
  '{{ define "t" }}{{ template "t" . }}{{ template "t" . }}{{ end }}{{ template "t" . }}',
  '{{ define "t" }}{{ if lt (len .) 40 }}{{ template "t" (append . 1) }}{{ template "t" (append . 1) }}{{ end }}{{ end }}{{ template "t" list }}',
];

t.test('no helper lets a template hang or explode', (t) => {
  for (const source of greedy) {
    t.throws(() => parseTemplate(source).render(data), { code: 'POLICY_TEMPLATE_LIMIT' }, source);
  }
  t.end();
});

t.test('wrong arguments to any function end in a coded error', (t) => {
  const values = ['1', '"a"', 'nil', '.Vars.list', '.Vars.map', '-1', '1.5', 'true', ''];
  for (const name of templateFunctions.keys()) {
    for (const first of values) {
      for (const second of values) {
        try {
          parseTemplate(`{{ ${name} ${first} ${second} }}`).render(data);
        } catch (error) {
          const coded = error instanceof AgentError && error.code.startsWith('POLICY_TEMPLATE_');
          if (!coded) t.fail(`${name} ${first} ${second}: ${error}`);
        }
      }
    }
  }
  t.end();
});
