import t from 'tap';
import { replaceText, replaceType } from '../../../../agent/executors/cross/replace.ts';
import { fc } from '../../../support/property.ts';
import { proveTextEdits } from '../../../support/text-edit-cases.ts';

const path = '/etc/conf';
/** A reference to a named group, as policy writes it. */
const group = (name: string, rest = '') => `$\{${name}}${rest}`;

t.test('what matches is replaced, and nothing else', (t) =>
  proveTextEdits(
    t,
    replaceType,
    path,
    { target_path: path, match_pattern: 'old', replacement: 'new' },
    {
      edits: [
        ['every match', {}, 'old old\nx\nold', 'new new\nx\nnew'],
        ['nothing matches', {}, 'x\n', 'x\n'],
        ['an empty file', {}, '', ''],
        [
          'the first only, when it then matches as it is',
          { match_pattern: '^p=.*$', replacement: 'p=2', occurrences: 'first' },
          'p=1\np=2\n',
          'p=2\np=2\n',
        ],
        [
          'groups by number and name',
          { match_pattern: '^(\\w+)-(?<to>\\w+)$', replacement: group('to', '+$1 $$0 $0') },
          'a-b\n',
          'b+a $0 a-b\n',
        ],
        ['removed', { replacement: '' }, 'an old thing\n', 'an  thing\n'],
        [
          'the ends of lines',
          { match_pattern: '^#\\s*(p=.*)$', replacement: '$1' },
          '#p=1\n# q\n',
          'p=1\n# q\n',
        ],
        ['over lines', { match_pattern: 'a\\nb', replacement: 'c' }, 'a\nb\nd\n', 'c\nd\n'],
        ['CRLF in what is put in', { replacement: 'n\nm' }, 'old\r\n', 'n\r\nm\r\n'],
        [
          'in a region only',
          { region_start: '^\\[b\\]', region_end: '^\\[' },
          '[a]\nold\n[b]\nold\n[c]\nold\n',
          '[a]\nold\n[b]\nnew\n[c]\nold\n',
        ],
        [
          'an empty region',
          { region_start: '^\\[b\\]', region_end: '^\\[' },
          '[b]\n[c]\nold\n',
          '[b]\n[c]\nold\n',
        ],
        ['a region at the end', { region_start: '^\\[b\\]' }, 'old\n[b]', 'old\n[b]'],
      ],
      refusals: [
        [
          'it would grow on every pass',
          { match_pattern: 'a', replacement: 'aa' },
          'a\n',
          'AGENT_EDIT_NOT_STABLE',
        ],
        [
          'first, and then the next',
          { occurrences: 'first' },
          'old old\n',
          'AGENT_EDIT_NOT_STABLE',
        ],
        ['no such region', { region_start: '^z' }, 'old\n', 'AGENT_REGION_MISSING'],
        ['no file', {}, undefined, 'AGENT_PATH_MISSING'],
        ['no expression', { match_pattern: '(' }, 'x\n', 'POLICY_PARAMETER_INVALID'],
        ['a group that is not there', { replacement: '$1' }, 'x\n', 'POLICY_PARAMETER_INVALID'],
        [
          'a name that is not there',
          { replacement: group('a') },
          'x\n',
          'POLICY_PARAMETER_INVALID',
        ],
        ['no text', {}, 'old\0', 'AGENT_FILE_NOT_TEXT'],
      ],
    },
  ),
);

t.test('a literal pattern does what split and join do, whatever the texts hold', async (t) => {
  const word = fc.string({ unit: fc.constantFrom('a', '$', '1', '\\', '\n', '&', '`', '{', '}') });
  const literal = (text: string) => text.replace(/[$\\{}`]/g, '\\$&');
  fc.assert(
    fc.property(
      word,
      word.filter((text) => text !== ''),
      word,
      (text, from, to) => {
        fc.pre(!/[\n\r]/.test(from));
        const spec = replaceType.parse({
          target_path: path,
          match_pattern: literal(from),
          replacement: to === '' ? '' : to.replaceAll('$', '$$$$'),
        });
        const expected = text.split(from).join(to);
        const got = replaceText(text, spec);
        if (got !== expected) throw new Error(`${JSON.stringify(got)} ${JSON.stringify(expected)}`);
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
