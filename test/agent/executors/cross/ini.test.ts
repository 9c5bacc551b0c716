import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { editIni, iniType } from '../../../../agent/executors/cross/ini.ts';
import { proveExecutor } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { proveTextEdits } from '../../../support/text-edit-cases.ts';

const path = '/etc/app.ini';
const file = '; head\na = 0\n\n[one]\n# k=1\nk = 1\n\n[two]\nk=2\n';

t.test('a setting is what is declared, and comments and layout stay', (t) =>
  proveTextEdits(
    t,
    iniType,
    path,
    { target_path: path, section: 'one', key: 'k', value: 'v' },
    {
      edits: [
        ['changed, spaces kept', {}, file, file.replace('k = 1', 'k = v')],
        ['as declared, whatever the spaces', { value: '1' }, file, file],
        ['a new key before the gap', { key: 'n' }, file, file.replace('k = 1\n', 'k = 1\nn=v\n')],
        ['a new section', { section: 'x' }, file, `${file}\n[x]\nk=v\n`],
        ['in an empty file', {}, '', '[one]\nk=v\n'],
        [
          'the part before the sections',
          { section: '', key: 'b' },
          file,
          file.replace('a = 0\n', 'a = 0\nb=v\n'),
        ],
        ['there, in a file that begins with a section', { section: '' }, '[a]\n', 'k=v\n[a]\n'],
        ['its own separator', { key: 'n', separator: ' = ' }, '[one]', '[one]\nn = v\n'],
        ['separated by a space', { separator: ' ' }, '[one]\nk   old\n', '[one]\nk   v\n'],
        ['a key alone, separated by a space', { separator: ' ' }, '[one]\nk\n', '[one]\nk v\n'],
        ['said twice', {}, '[one]\nk=v\nk=w\n', '[one]\nk=v\n'],
        ['a section opened twice', {}, '[one]\n[b]\n[one]\nk=1\n', '[one]\n[b]\n[one]\nk=v\n'],
        ['a longer key is another', {}, '[one]\nkk=1\n', '[one]\nkk=1\nk=v\n'],
        ['no value', { value: '' }, '[one]\nk=1', '[one]\nk=\n'],
        ['CRLF', { key: 'n' }, '[one]\r\nk=1\r\n', '[one]\r\nk=1\r\nn=v\r\n'],
        ['a section with a comment', {}, '[ one ] ; x\nk=1\n', '[ one ] ; x\nk=v\n'],
        ['absent', { state: 'absent' }, file, file.replace('k = 1\n', '')],
        ['absent already', { state: 'absent', key: 'z' }, file, file],
        ['absent in no section', { state: 'absent', section: 'z' }, file, file],
      ],
      refusals: [
        ['two lines', { value: 'a\n[two]' }, file, 'POLICY_PARAMETER_INVALID'],
        ['a key with the separator', { key: 'a=b' }, file, 'POLICY_PARAMETER_INVALID'],
        ['a key that is a comment', { key: ';a' }, file, 'POLICY_PARAMETER_INVALID'],
        ['a section that ends early', { section: 'a]b' }, file, 'POLICY_PARAMETER_INVALID'],
        ['no text', {}, 'k=\0', 'AGENT_FILE_NOT_TEXT'],
        ['no directory', {}, undefined, 'AGENT_PATH_MISSING'],
      ],
    },
  ),
);

t.test('a missing file is made', (t) =>
  proveExecutor(t, iniType, [
    {
      name: 'made',
      parameters: { target_path: path, section: 'one', key: 'k', value: 'v' },
      arrange: (root) => mkdirSync(`${root}/etc`),
      action: 'created',
      check: (root, t) => {
        t.equal(readFileSync(root + path, 'utf8'), '[one]\nk=v\n');
        t.equal(lstatSync(root + path).mode & 0o7777, 0o644);
      },
    },
    {
      name: 'absent',
      parameters: { target_path: path, key: 'k', state: 'absent' },
      action: 'none',
    },
  ]),
);

t.test('no declared value becomes another setting or section', async (t) => {
  const value = fc.string({
    unit: fc.constantFrom('a', '=', '[', ']', ';', '#', ' ', '\n', '\r', '"'),
  });
  fc.assert(
    fc.property(value, value, value, (section, key, value) => {
      let spec: ReturnType<typeof iniType.parse>;
      try {
        spec = iniType.parse({ target_path: path, section, key, value });
      } catch (error) {
        if ((error as { code?: string }).code !== 'POLICY_PARAMETER_INVALID') throw error;
        return;
      }
      const once = editIni(file, spec);
      if (editIni(once, spec) !== once) throw new Error(`not stable: ${JSON.stringify(once)}`);
      const kept = once.split('\n').filter((line) => file.split('\n').includes(line));
      if (kept.length < file.trimEnd().split('\n').length - 1) throw new Error('a line is lost');
      if (once.split('\n').length > file.split('\n').length + 3) throw new Error('too many lines');
    }),
    { numRuns: 3000 },
  );
  t.pass();
});
