import t from 'tap';
import { parse, stringify } from 'yaml';
import { promoteText } from '../../../admin/cli/promotion.ts';
import { unifiedDiff } from '../../../admin/cli/text-diff.ts';
import { fc } from '../../support/property.ts';

const promotion = { from: 'staging', to: 'production', exact: false };
const exact = { ...promotion, exact: true };

const module = `# The web server.
name: nginx   # a name
vars: {port: 80, workers: 2}


environment_overrides:
  # Tried first.
  staging:
    vars: {workers: 8, tls: "1.3"}
  production:
    vars:
      workers: 4    # as many as cores
      cache: on     # only here
resources:
  - name:   config      # odd spaces stay
    type: file
    content: |
      a  b
`;

t.test('values are copied, comments and every other line stay', async (t) => {
  const after = promoteText('m.vgo', module, promotion);
  t.equal(
    unifiedDiff('m.vgo', module, after ?? ''),
    `--- m.vgo
+++ m.vgo
@@ -9,8 +9,9 @@
     vars: {workers: 8, tls: "1.3"}
   production:
     vars:
-      workers: 4    # as many as cores
+      workers: 8 # as many as cores
       cache: on     # only here
+      tls: "1.3"
 resources:
   - name:   config      # odd spaces stay
     type: file`,
  );
  t.equal(promoteText('m.vgo', after ?? '', promotion), undefined, 'a second time changes nothing');
});

t.test('--exact makes both tiers the same; without the tier it is made', async (t) => {
  const both = parse(promoteText('m.vgo', module, exact) ?? '') as Record<
    string,
    Record<string, object>
  >;
  t.same(both.environment_overrides?.production, both.environment_overrides?.staging);
  const lone = 'env:\n  staging:\n    modules: [debug]\n    vars: {a: 1}\n';
  t.same(parse(promoteText('environments.vgo', lone, promotion) ?? ''), {
    env: {
      staging: { modules: ['debug'], vars: { a: 1 } },
      production: { modules: ['debug'], vars: { a: 1 } },
    },
  });
});

t.test('lists get what they lack', async (t) => {
  const text = `env:
  staging: {modules: [waf, debug], exclude_modules: hardening}
  production: {modules: [waf, metrics]}
`;
  const after = promoteText('environments.vgo', text, promotion) ?? '';
  t.match(parse(after), {
    env: {
      production: { modules: ['waf', 'metrics', 'debug'], exclude_modules: ['hardening'] },
    },
  });
});

t.test('what has no such tier is left alone, and what is not YAML is said', async (t) => {
  for (const text of ['', 'name: a\n', 'env: 3\n', 'env: {production: {}}\n', '- a\n', 'env:\n']) {
    t.equal(promoteText('x.vgo', text, promotion), undefined, JSON.stringify(text));
  }
  t.throws(() => promoteText('x.vgo', 'a: [', promotion), { code: 'CLI_NO_STACK' });
});

t.test('whatever the values are, the target gets them and nothing else changes', async () => {
  const scalar = fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.string(),
    fc.constantFrom('yes', '0644', '# no', 'a: b', ' x ', 'line\nline\n', '- y', '{{ .Vars.x }}'),
  );
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(name, scalar));
  const vars = fc.dictionary(name, value, { maxKeys: 5 });
  fc.assert(
    fc.property(vars, vars, vars, fc.boolean(), (staging, production, other, whole) => {
      const before = {
        name: 'm',
        vars: other,
        env: { staging: { vars: staging }, production: { vars: production } },
      };
      const text = stringify(before);
      const after = promoteText('m.vgo', text, whole ? exact : promotion) ?? text;
      const expected = whole ? staging : { ...production, ...staging };
      const found = parse(after) as typeof before;
      return (
        JSON.stringify(sorted(found.env.production.vars)) === JSON.stringify(sorted(expected)) &&
        JSON.stringify(found.env.staging) === JSON.stringify(parse(text).env.staging) &&
        JSON.stringify(found.vars) === JSON.stringify(parse(text).vars)
      );
    }),
    { numRuns: 300 },
  );
});

function sorted(map: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}

t.test('a difference can be applied by patch(1): its line numbers are right', async (t) => {
  const before = Array.from({ length: 40 }, (_, at) => `line ${at}`);
  const after = [...before];
  after[2] = 'changed';
  after.splice(20, 1);
  after.push('last');
  const text = unifiedDiff('f', before.join('\n'), after.join('\n'));
  t.match(text, /^--- f\n\+\+\+ f\n@@ -1,6 \+1,6 @@\n/);
  t.match(text, /\n@@ -18,7 \+18,6 @@\n line 17\n/);
  t.match(text, /\n@@ -38,3 \+37,4 @@\n line 37\n line 38\n line 39\n\+last$/);
  t.equal(unifiedDiff('f', 'same', 'same'), '');
});
