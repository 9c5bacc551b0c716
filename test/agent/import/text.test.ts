import assert from 'node:assert/strict';
import t from 'tap';
import { parse } from 'yaml';
import { literalText } from '../../../agent/import/literal.ts';
import { yamlComment, yamlEntry } from '../../../agent/import/yaml-text.ts';
import { parseTemplate } from '../../../agent/policy/template/template.ts';
import { fc } from '../../support/property.ts';

/** Text as files and accounts hold it, and text made to break YAML. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...['\n', ' ', '\t', ': ', '- ', '#', '"', "'", '|', '>', '{{', '}}', 'a', 'true', '~'],
        ...['secret:db/x', '\u0085', '\u2028', '\ufeff', '\r', '---', '...', '&a', '*a', '!x', '0'],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

t.test('no text of the machine is changed by being written as YAML', async () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.equal(parse(yamlEntry('content', text, ''), { strict: false }).content, text);
      assert.equal(parse(`a:\n${yamlEntry('content', text, '  ')}  b: 1\n`).a.content, text);
    }),
    { numRuns: 500 },
  );
});

t.test('lists, maps and numbers come back', async (t) => {
  const value = { list: ['a b', '- x', 'yes'], map: { 'a: b': 1, c: true }, none: [], empty: {} };
  const text = Object.entries(value)
    .map(([key, one]) => yamlEntry(key, one, ''))
    .join('');
  t.same(parse(text), value);
});

t.test('a comment stays a comment, whatever it says', async () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.deepEqual(parse(`${yamlComment(text, '')}a: 1\n`), { a: 1 });
    }),
    { numRuns: 200 },
  );
});

t.test('text that looks like a template or a secret means itself', async () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const literal = literalText(text);
      const template = parseTemplate(literal);
      assert.equal(template.render({ Vars: {}, Traits: {} }), text);
      assert.doesNotMatch(literal, /(?<!\w)secret:[A-Za-z0-9_]/);
    }),
    { numRuns: 500 },
  );
});
