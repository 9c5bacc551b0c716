import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { blockinfileType, editBlock } from '../../../../agent/executors/cross/blockinfile.ts';
import { proveExecutor } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { proveTextEdits } from '../../../support/text-edit-cases.ts';

const path = '/etc/conf';
const begin = '# BEGIN managed - managed by vigo';
const end = '# END managed - managed by vigo';
const block = `${begin}\na\nb\n${end}\n`;

t.test('a block is what is declared, and the rest of the file stays', (t) =>
  proveTextEdits(
    t,
    blockinfileType,
    path,
    { target_path: path, block_content: 'a\nb\n' },
    {
      edits: [
        ['into an empty file', {}, '', block],
        ['at the end', {}, 'x\n', `x\n${block}`],
        ['after a last line without its end', {}, 'x', `x\n${block}`],
        ['as declared', {}, `x\n${block}y`, `x\n${block}y`],
        ['changed in place', {}, `x\n${begin}\na\nc\n${end}\ny`, `x\n${block}y`],
        ['emptied in place', {}, `x\n${begin}\n${end}\ny\n`, `x\n${block}y\n`],
        ['CRLF is kept', {}, 'x\r\n', `x\r\n${block.replaceAll('\n', '\r\n')}`],
        [
          'as declared with CRLF',
          {},
          block.replaceAll('\n', '\r\n'),
          block.replaceAll('\n', '\r\n'),
        ],
        ['a second block goes', {}, `${block}x\n${block}`, `${block}x\n`],
        ['a lost end: nothing foreign goes', {}, `${begin}\na\nmine\n`, `${block}mine\n`],
        ['a lost begin: nothing foreign goes', {}, `mine\nb\n${end}\nx\n`, `mine\n${block}x\n`],
        ['two begins', {}, `${begin}\n${block}`, block],
        [
          'a label and markers of their own',
          { label: 'L', marker_begin: '; {label} {', marker_end: '; } {label}' },
          'x\n',
          'x\n; L {\na\nb\n; } L\n',
        ],
        [
          'another label is another block',
          { label: 'two' },
          block,
          `${block}${block.replaceAll(/(BEGIN|END) managed/g, '$1 two')}`,
        ],
        ['absent', { state: 'absent' }, `x\n${block}y\n`, 'x\ny\n'],
        ['absent, the only thing', { state: 'absent' }, block, ''],
        ['absent already', { state: 'absent' }, 'x\n', 'x\n'],
      ],
      refusals: [
        ['no content', { block_content: '' }, 'x\n', 'POLICY_PARAMETER_INVALID'],
        [
          'a marker in the block',
          { block_content: `a\n${end}` },
          'x\n',
          'POLICY_PARAMETER_INVALID',
        ],
        [
          'equal markers',
          { marker_begin: 'm', marker_end: 'm' },
          'x\n',
          'POLICY_PARAMETER_INVALID',
        ],
        ['a marker of two lines', { marker_end: 'a\nb' }, 'x\n', 'POLICY_PARAMETER_INVALID'],
        ['a relative path', { target_path: 'etc/conf' }, 'x\n', 'POLICY_PARAMETER_INVALID'],
        ['no file', {}, undefined, 'AGENT_PATH_MISSING'],
        ['no directory for the file', { create: true }, undefined, 'AGENT_PATH_MISSING'],
        ['no text', {}, 'a\0b', 'AGENT_FILE_NOT_TEXT'],
      ],
    },
  ),
);

t.test('a file is made only when it is said so', (t) =>
  proveExecutor(t, blockinfileType, [
    {
      name: 'made, with its mode',
      parameters: { target_path: path, block_content: 'a\nb', create: true, mode: '0600' },
      arrange: (root) => mkdirSync(`${root}/etc`),
      action: 'created',
      check: (root, t) => {
        t.equal(readFileSync(root + path, 'utf8'), block);
        t.equal(lstatSync(root + path).mode & 0o7777, 0o600);
      },
    },
    {
      name: 'absent in no file',
      parameters: { target_path: path, state: 'absent', create: true },
      action: 'none',
    },
  ]),
);

t.test(
  'whatever people did to the markers, one pass repairs it and loses no line of theirs',
  async (t) => {
    const line = fc.constantFrom('a', 'b', begin, end, 'mine', '', 'a\r');
    const spec = { path, absent: false, create: false, begin, end, block: ['a', 'b'] };
    const foreign = (text: string) => text.split('\n').filter((one) => one === 'mine').length;
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        (lines, last, absent) => {
          const text = lines.join('\n') + (last ? '\n' : '');
          const once = editBlock(text, { ...spec, absent });
          if (editBlock(once, { ...spec, absent }) !== once) throw new Error(JSON.stringify(once));
          const shown = once.replaceAll('\r', '');
          if (!absent && !shown.includes(block.trimEnd())) throw new Error('no block');
          if (absent && shown.includes(begin)) throw new Error('a marker is left');
          const paired = lines.indexOf(begin) >= 0 && lines.lastIndexOf(end) > lines.indexOf(begin);
          if (!paired && foreign(once) !== foreign(text)) throw new Error('a foreign line is lost');
        },
      ),
      { numRuns: 3000 },
    );
    t.pass();
  },
);
