import t from 'tap';
import {
  collectPaths,
  findReferences,
  pathFault,
  referencesInActions,
  replaceReferences,
} from '../../../agent/policy/secret-references.ts';
import { fc } from '../../support/property.ts';

const part = fc.stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,8}[A-Za-z0-9_])?$/);
const path = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.option(part, { nil: undefined }))
  .map(([parts, field]) => {
    const name = parts.join('/');
    return field === undefined ? name : `${name}#${field.replaceAll('.', '_')}`;
  });
/** What may stand around a reference without becoming part of it. */
const around = fc.stringMatching(/^[ "'@;,:(){}\n=<>äß]{1,8}$/);

t.test('a reference is found whatever stands around it, as long as it is', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(around, path), { maxLength: 5 }), around, (pieces, end) => {
      const text = pieces.map(([before, name]) => `${before}secret:${name}`).join('') + end;
      const found = findReferences(text).map((one) => one.path);
      const names = pieces.map(([, name]) => name);
      return (
        found.join('|') === names.join('|') &&
        names.every((name) => pathFault(name) === undefined) &&
        findReferences(text).every((one) => text.startsWith(`secret:${one.path}`, one.offset))
      );
    }),
  );
  for (const text of ['client_secret:x', 'secret: x', 'secret:', 'mysecret:x', 'secret:/x'])
    t.same(findReferences(text), [], text);
  t.match(findReferences('see secret:a/b.'), [{ path: 'a/b' }], 'a full stop ends a sentence');
});

t.test('replacing touches references and nothing else', async (t) => {
  fc.assert(
    fc.property(fc.string(), path, fc.string(), (before, name, after) => {
      const text = `${before} secret:${name} ${after}`;
      fc.pre(findReferences(before).length + findReferences(after).length === 0);
      fc.pre(!text.slice(0, before.length + 8).endsWith('secret:secret:'));
      const value = '$& $1 {{ secret }}';
      return replaceReferences(text, () => value) === `${before} ${value} ${after}`;
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const paths = new Set<string>();
      collectPaths(value as never, paths);
      return [...paths].every((one) => JSON.stringify(value).includes(`secret:${one}`));
    }),
  );
  t.pass();
});

t.test('a path that no store can hold is told', async (t) => {
  for (const bad of ['a//b', 'a/../b', 'a/.b', '.a', 'a/-b', 'x'.repeat(201), ''])
    t.type(pathFault(bad), 'string', bad);
});

t.test('only what stands inside an action of a template is refused there', async (t) => {
  const cases: [text: string, misplaced: string[]][] = [
    ['secret:a {{ .Vars.x }} secret:b', []],
    ['{{ print "secret:a" }} secret:b', ['a']],
    ['{{/* secret:a }} */}} secret:b', ['a']],
    ['{{ print "}}" "secret:a" }}', ['a']],
    ['{{ print `}} secret:a` }} secret:b', ['a']],
    ['{{ if .x }}secret:a{{ end }}', []],
    ['secret:a {{ never closed secret:b', ['b']],
    ['}} secret:a', []],
  ];
  for (const [text, misplaced] of cases)
    t.same(
      referencesInActions(text).map((one) => one.path),
      misplaced,
      text,
    );
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => !!referencesInActions(text)));
});
