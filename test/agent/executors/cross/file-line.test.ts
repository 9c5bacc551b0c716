import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { fileLineType, isBoundary } from '../../../../agent/executors/cross/file-line.ts';
import { editLines, type LineEdit } from '../../../../agent/executors/cross/line-edit.ts';
import { type ExecutorCase, proveExecutor } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';

const path = '/etc/conf';
const having = (text: string) => (root: string) => {
  mkdirSync(`${root}/etc`);
  writeFileSync(`${root}/etc/conf`, text, { mode: 0o600 });
};
const holds = (text: string) => (root: string, t: Test) => {
  t.equal(readFileSync(`${root}/etc/conf`, 'utf8'), text);
  t.equal(lstatSync(`${root}/etc/conf`).mode & 0o7777, 0o600, 'the mode is kept');
};

/** name, parameters, before, after (the same = none). */
const edits: [string, Record<string, string>, string, string][] = [
  ['appends', { line: 'c' }, 'a\nb\n', 'a\nb\nc\n'],
  ['appends to an empty file', { line: 'c' }, '', 'c\n'],
  ['appends after a last line without its end', { line: 'c' }, 'a\nb', 'a\nb\nc\n'],
  ['finds the line', { line: 'b' }, 'a\nb\nc', 'a\nb\nc'],
  ['begins', { line: 'c', position: 'begin' }, 'a\nb\n', 'c\na\nb\n'],
  ['after the last anchor', { line: 'x', position: 'after:^a' }, 'a1\na2\nb\n', 'a1\na2\nx\nb\n'],
  [
    'before the first anchor',
    { line: 'x', position: 'before:^a' },
    'b\na1\na2\n',
    'b\nx\na1\na2\n',
  ],
  ['without the anchor at the end', { line: 'x', position: 'after:^z' }, 'a\n', 'a\nx\n'],
  ['replaces what matches', { line: 'p=2', match_pattern: '^#?p=' }, '#p=1\nq\n', 'p=2\nq\n'],
  ['leaves what matches and is right', { line: 'p=2', match_pattern: '^p=' }, 'p=2\n', 'p=2\n'],
  ['adds when nothing matches', { line: 'p=2', match_pattern: '^p=' }, 'q\n', 'q\np=2\n'],
  ['removes the line', { line: 'b', state: 'absent' }, 'a\nb\nb\nc\n', 'a\nc\n'],
  ['removes what matches', { match_pattern: '^b', state: 'absent' }, 'a\nb1\nb2\n', 'a\n'],
  ['removes the only line', { line: 'b', state: 'absent' }, 'b\n', ''],
  ['nothing to remove', { line: 'x', state: 'absent' }, 'a\n', 'a\n'],
  ['keeps CRLF', { line: 'c' }, 'a\r\nb\r\n', 'a\r\nb\r\nc\r\n'],
  ['finds a line with CRLF', { line: 'b' }, 'a\r\nb\r\n', 'a\r\nb\r\n'],
  [
    'in a region only',
    { line: 'x', region_start: '^\\[two', region_end: '^\\[' },
    '[one]\nx\n[two]\ny\n[three]\nx\n',
    '[one]\nx\n[two]\ny\nx\n[three]\nx\n',
  ],
  [
    'replaces in a region only',
    { line: 'p=2', match_pattern: '^p', region_start: '^\\[two' },
    '[one]\np=1\n[two]\np=1\n',
    '[one]\np=1\n[two]\np=2\n',
  ],
  ['absent region, absent line', { line: 'x', state: 'absent', region_start: '^z' }, 'x\n', 'x\n'],
];

const table: ExecutorCase[] = edits.map(([name, parameters, before, after]) => ({
  name,
  parameters: { target_path: path, ...parameters },
  arrange: having(before),
  action: before === after ? 'none' : 'updated',
  check: holds(after),
}));

const refusals: ExecutorCase[] = [
  {
    name: 'a missing file',
    parameters: { target_path: path, line: 'x' },
    action: 'failed',
    errorCode: 'AGENT_PATH_MISSING',
  },
  {
    name: 'a missing file, absent',
    parameters: { target_path: path, line: 'x', state: 'absent' },
    action: 'none',
  },
  {
    name: 'a missing region',
    parameters: { target_path: path, line: 'x', region_start: '^z' },
    arrange: having('a\n'),
    action: 'failed',
    errorCode: 'AGENT_REGION_MISSING',
  },
  {
    name: 'a binary file is left alone',
    parameters: { target_path: path, line: 'x' },
    arrange: having('a\0b'),
    action: 'failed',
    errorCode: 'AGENT_FILE_NOT_TEXT',
    check: holds('a\0b'),
  },
  {
    name: 'bad expressions',
    parameters: { target_path: path, line: 'x', match_pattern: '(', position: 'beside:x' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
    reason: /match_pattern|position/,
  },
  {
    name: 'a line that ends its own region',
    parameters: { target_path: path, line: '[x]', region_end: '^\\[' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  {
    name: 'two lines in one',
    parameters: { target_path: path, line: 'x\ny' },
    action: 'failed',
    errorCode: 'POLICY_PARAMETER_INVALID',
  },
  {
    name: 'through a link of our own',
    parameters: { target_path: '/link', line: 'x' },
    arrange: (root) => {
      having('a\n')(root);
      symlinkSync('/etc/conf', `${root}/link`);
    },
    action: 'updated',
    check: (root, t) => {
      holds('a\nx\n')(root, t);
      t.ok(lstatSync(`${root}/link`).isSymbolicLink());
    },
  },
];

t.test('file_line', (t) => proveExecutor(t, fileLineType, [...table, ...refusals]));

const word = fc.constantFrom('', 'a', 'b', 'p=1', 'p=2', '[s]', 'a\r', 'x y');
const regex = fc.option(fc.constantFrom(/^a/, /p=/, /./, /^\[/, /^$/, /b$/), { nil: undefined });
const position = fc.oneof(
  fc.constantFrom({ at: 'end' as const }, { at: 'begin' as const }),
  fc.record({
    at: fc.constantFrom('after' as const, 'before' as const),
    anchor: fc.constantFrom(/^a/, /p=/),
  }),
);
const edit = fc.record({
  absent: fc.boolean(),
  line: fc.constantFrom('a', 'b', 'p=2', '[s]', ''),
  match: regex,
  position,
  regionStart: regex,
  regionEnd: regex,
}) as fc.Arbitrary<LineEdit>;
const text = fc
  .tuple(fc.array(word, { maxLength: 8 }), fc.boolean())
  .map(([lines, end]) => lines.join('\n') + (end && lines.length > 0 ? '\n' : ''));

t.test('an edit applied twice is the edit applied once, whatever the file holds', async (t) => {
  fc.assert(
    fc.property(text, edit, (before, edit) => {
      fc.pre(edit.absent || !isBoundary(edit.line!, edit));
      const once = editLines(before, edit);
      if (once === undefined) return;
      const twice = editLines(once, edit);
      if (twice !== undefined && twice !== once)
        throw new Error(`${JSON.stringify(once)} became ${JSON.stringify(twice)}`);
    }),
    { numRuns: 5000 },
  );
  t.pass();
});
