import t from 'tap';
import { describeDiagnostic } from '../../../admin/cli/diagnostic.ts';
import { type Column, plainPairs, renderPlain, renderTable } from '../../../admin/cli/table.ts';
import { jsonText, printable, shorten, textWidth } from '../../../admin/cli/terminal-text.ts';
import { fc } from '../../support/property.ts';

interface Row {
  readonly host: string;
  readonly id: string;
}
const columns: readonly Column<Row>[] = [
  { title: 'HOST', value: (row) => row.host, flexible: true },
  { title: 'STATE', value: () => 'converged' },
  { title: 'ID', value: (row) => row.id, brief: (row) => row.id.slice(0, 8), optional: true },
];
const hostile = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnp.exe\r\n\u2028x\u0000\u007f';
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const dangerous = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

t.test('text from a machine cannot command the terminal', async (t) => {
  const row = { host: hostile, id: hostile };
  t.notMatch(renderTable([row], columns, 60), dangerous);
  t.equal(renderTable([row], columns, 60).split('\n').length, 2, 'nor add rows');
  t.notMatch(renderPlain([row], columns).replaceAll('\t', ''), dangerous);
  t.notMatch(
    plainPairs({ [hostile]: { deep: hostile } })
      .join('')
      .replaceAll('\t', ''),
    dangerous,
  );
  t.notMatch(jsonText(row, 2), dangerous);
  t.same(JSON.parse(jsonText(row)), row, 'JSON still means the same');
  const diagnostic = {
    code: hostile,
    severity: 'error' as const,
    file: hostile,
    line: 1,
    column: 3,
    message: hostile,
    suggestion: hostile,
    excerpt: hostile,
  };
  t.notMatch(describeDiagnostic(diagnostic, 80), dangerous);
});

t.test('whatever the text, a table line fits the terminal and JSON survives', async () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string());
  fc.assert(
    fc.property(text, text, fc.integer({ min: 40, max: 120 }), (host, id, width) => {
      const lines = renderTable([{ host, id }], columns, width).split('\n');
      return (
        lines.length === 2 &&
        lines.every((line) => textWidth(line) <= width && !dangerous.test(line)) &&
        (JSON.parse(jsonText({ host })) as Row).host === host &&
        textWidth(shorten(printable(host), 10)) <= 10
      );
    }),
  );
});

t.test('a narrow terminal loses the optional column, not the important one', async (t) => {
  const row = { host: 'a-rather-long-host-name.example.net', id: '0123456789abcdef' };
  t.match(renderTable([row], columns, 80), /ID\n.*01234567$/);
  t.match(renderTable([row], columns, 30), /HOST +STATE\na-rather-long…|HOST +STATE\na-rather/);
  t.match(renderPlain([row], columns), /\t0123456789abcdef$/, 'programs get the whole id');
  t.equal(textWidth('漢字é'), 5);
});

t.test('the caret of a diagnostic stands below the mistake, also in a long line', async (t) => {
  const excerpt = `${'x: '.padEnd(120, 'a')}WRONG${'b'.repeat(200)}`;
  const column = excerpt.indexOf('WRONG') + 1;
  const base = { code: 'C', severity: 'error', file: 'f', line: 1, message: 'm' } as const;
  for (const width of [40, 60, 100, 500]) {
    const lines = describeDiagnostic({ ...base, excerpt, column }, width).split('\n');
    const [, shown = '', caret = ''] = lines;
    t.ok(shown.length <= width || width > excerpt.length);
    t.equal(shown.slice(caret.indexOf('^')).slice(0, 5), 'WRONG', `at ${width} columns`);
  }
});
