import t from 'tap';
import { firstMatch, patternMatcher } from '../../../actors/publish/stack/match.ts';
import { CompileCache } from '../../../actors/publish/stack/stack.ts';
import { canonicalJson } from '../../../agent/protocol/canonical-json.ts';
import { fc } from '../../support/property.ts';
import { brief, compileFiles } from './stacks.ts';

/** Parts of a stack, each in some versions, right and wrong ones. */
const versions: Record<string, readonly string[]> = {
  'common.vgo': ['vars: {a: 1}\n', 'vars: {a: 2, b: x}\nmodules: [base]\n', 'vars: [\n', ''],
  'environments.vgo': [
    'env: {prod: {vars: {a: 9}, exclude_modules: [app]}}\n',
    'env: {prod: {modules: [base]}}\n',
    'env: {}\n',
  ],
  'modules/base.vgo': [
    'name: base\nvars: {who: w}\nresources:\n  - {name: g, type: group, group: "{{ .Vars.who }}"}\n',
    'name: base\nvars: {who: v}\nresources:\n  - {name: h, type: group, group: "{{ .Vars.who }}"}\n',
    'name: base\nresources:\n  - {name: g, type: group, group: "{{ .Vars.who }}"}\n',
    'name: bse\n',
  ],
  'modules/app.vgo': [
    [
      'name: app',
      'depends_on: [base]',
      'vars: {list: [x, y]}',
      'resources:',
      '  - {name: each, type: group, group: "{{ .Item }}{{ .Vars.a }}", foreach: list}',
      '  - {name: after, type: group, group: z, depends_on: [each, base/g]}',
      '',
    ].join('\n'),
    'name: app\nresources:\n  - {name: f, type: file, target_path: /f, source: templates/f}\n',
    'name: app\nresources:\n  - {name: f, type: file, target_path: /f, content: "{{ .Vars.b }}"}\n',
  ],
  'templates/f': ['{{ .Vars.a }}', '{{ .Vars.b }} more', 'plain', '{{ .Vars.'],
  'site.vgo': [
    'envoys:\n  - {match: "web-*", modules: [app], environment: prod}\n  - {match: "*", modules: [app]}\n',
    'envoys:\n  - {match: "web-*", modules: [app], vars: {a: 5}}\n  - {match: "*", modules: [base]}\n',
    'envoys:\n  - {match: "*", modules: [base, app], vars: {b: q}}\n',
  ],
};

type Choice = Record<string, number>;

const choice: fc.Arbitrary<Choice> = fc.record(
  Object.fromEntries(
    // One more than there are: the file is not there.
    Object.entries(versions).map(([path, texts]) => [path, fc.nat({ max: texts.length })]),
  ),
);

function filesOf(chosen: Choice): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [path, index] of Object.entries(chosen)) {
    const text = versions[path]![index];
    if (text !== undefined) files[path] = text;
  }
  return files;
}

t.test('a compilation that goes on from the last one is the same as a whole one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(choice, { minLength: 2, maxLength: 6 }), async (history) => {
      const cache = new CompileCache();
      for (const chosen of history) {
        const files = filesOf(chosen);
        const [resumed, whole] = [await compileFiles(files, { cache }), await compileFiles(files)];
        if (brief(resumed).join('\n') !== brief(whole).join('\n')) return false;
        if (canonicalJson(resumed.documents) !== canonicalJson(whole.documents)) return false;
        const explained = whole.documents.map((_, index) => whole.explain(index));
        const again = resumed.documents.map((_, index) => resumed.explain(index));
        if (canonicalJson(explained) !== canonicalJson(again)) return false;
      }
      return true;
    }),
    { numRuns: 150 },
  );
});

t.test('what did not change stays the same object, so that nobody encodes it again', async (t) => {
  const cache = new CompileCache();
  const files: Record<string, string> = {
    'modules/a.vgo': 'name: a\nresources:\n  - {type: group, group: a}\n',
    'modules/b.vgo': 'name: b\nresources:\n  - {type: group, group: b}\n',
    'site.vgo':
      'envoys:\n  - {match: a, modules: [a]}\n  - {match: b, modules: [b]}\n  - {match: c, modules: [a, b]}\n  - {match: d, modules: [a]}\n',
  };
  const first = await compileFiles(files, { cache });
  files['modules/b.vgo'] = 'name: b\nresources:\n  - {type: group, group: other}\n';
  const second = await compileFiles(files, { cache });
  t.equal(second.documents[0], first.documents[0]);
  t.equal(first.documents[3], first.documents[0], 'entries that resolve alike share one');
  t.not(second.documents[1], first.documents[1]);
  t.not(second.documents[2], first.documents[2]);
  t.equal(second.documents[2]!.modules[0], first.documents[2]!.modules[0]);
});

t.test('the index finds the entry that trying all patterns in turn finds', async () => {
  const part = fc.stringMatching(/^[ab.-]{0,3}$/);
  const pattern = fc.oneof(
    part.filter((text) => text !== ''),
    part.map((text) => `${text}*`),
    part.map((text) => `*${text}`),
    fc.tuple(part, part).map(([a, b]) => `${a}*${b}`),
    fc
      .tuple(
        part,
        fc.constantFrom('?', '[ab]', '{a,b}', '{1,2}', '(a|b)', '+', '@', '~', '$'),
        part,
      )
      .map((parts) => parts.join('')),
    fc.constantFrom(
      '*',
      '**',
      '***',
      'a?',
      '[ab]*',
      '{a,b}-*',
      '!a',
      'A*',
      '*.*',
      'a**',
      '?(a)b',
      'a\\*',
    ),
  );
  const host = fc.oneof(part, fc.constantFrom('A-b', 'web/1', '', '.', '..', 'a*', 'ünïcode'));
  await fc.assert(
    fc.property(
      fc.array(fc.array(pattern, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
      fc.array(host, { minLength: 1, maxLength: 10 }),
      (entries, hosts) => {
        const find = firstMatch(entries);
        return hosts.every((hostname) => {
          const index = entries.findIndex((match) => patternMatcher(match)(hostname));
          return find(hostname) === (index === -1 ? undefined : index);
        });
      },
    ),
    { numRuns: 2000 },
  );
});
