import { mkdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { jsonFileType } from '../../../../agent/executors/cross/json-file.ts';
import { pathParts, removeAt, setAt } from '../../../../agent/executors/cross/json-path.ts';
import { parseJson, printJson, sameJson } from '../../../../agent/executors/cross/json-text.ts';
import { proveExecutor } from '../../../support/executor-harness.ts';
import { fc } from '../../../support/property.ts';
import { proveTextEdits } from '../../../support/text-edit-cases.ts';

const path = '/etc/app.json';
const file = '{"b":1.0,"10":12345678901234567890,"a":{"list":[1,2,3]}}';
const pretty = (list: string) =>
  `{\n  "b": 1.0,\n  "10": 12345678901234567890,\n  "a": {\n    "list": ${list}\n  }\n}`;

t.test('a value is what is declared, and everything else keeps its digits and order', (t) =>
  proveTextEdits(
    t,
    jsonFileType,
    path,
    { target_path: path, key: 'a.list.1', value: '5' },
    {
      edits: [
        ['an element of a list', {}, file, pretty('[\n      1,\n      5,\n      3\n    ]')],
        ['as declared, not printed anew', { value: '2.0' }, file, file],
        [
          'appended to a list',
          { key: 'a.list.3', value: '4', indent: 0 },
          file,
          file.replace('3]', '3,4]'),
        ],
        [
          'parents are made',
          { key: 'x.y', value: '"v"' },
          '{}\n',
          '{\n  "x": {\n    "y": "v"\n  }\n}\n',
        ],
        ['a list is made', { key: 'x.0', value: 'true', indent: 0 }, '{}', '{"x":[true]}'],
        ['an empty file', { key: 'x', value: 'null' }, '', '{\n  "x": null\n}\n'],
        ['a structure', { key: 'a', value: '{"z":[]}', indent: 0 }, '{"a":1}', '{"a":{"z":[]}}'],
        [
          'the order of keys is no drift',
          { key: 'a', value: '{"y":2,"x":1}' },
          '{"a": {"x":1,"y":2}}',
          '{"a": {"x":1,"y":2}}',
        ],
        ['a dot in a name', { key: 'a\\.b', value: '1', indent: 0 }, '{}', '{"a.b":1}'],
        ['a name that is no index', { key: '0', value: '1', indent: 0 }, '{}', '{"0":1}'],
        ['a list or number of policy', { key: 'a', value: 5, indent: 0 }, '{"a":"5"}', '{"a":5}'],
        ['CRLF', { key: 'a', value: '2' }, '{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 2\r\n}\r\n'],
        [
          'a byte order mark',
          { key: 'a', value: '2', indent: 0 },
          '\uFEFF{"a":1}',
          '\uFEFF{"a":2}',
        ],
        [
          '__proto__ is a name like others',
          { key: '__proto__.x', value: '1', indent: 0 },
          '{}',
          '{"__proto__":{"x":1}}',
        ],
        [
          'absent',
          { key: 'a', state: 'absent', value: '', indent: 0 },
          file,
          '{"b":1.0,"10":12345678901234567890}',
        ],
        ['absent already', { key: 'z.y', state: 'absent', value: '' }, file, file],
        [
          'an element by its value',
          { key: 'a.list.1', state: 'absent', value: '2', indent: 0 },
          file,
          file.replace('1,2,3', '1,3'),
        ],
        ['not that element any more', { key: 'a.list.1', state: 'absent', value: '7' }, file, file],
      ],
      refusals: [
        ['no JSON', {}, '{"a": 1,}', 'AGENT_FILE_NOT_JSON'],
        ['comments', {}, '// x\n{}', 'AGENT_FILE_NOT_JSON'],
        ['through a plain value', { key: 'b.c' }, file, 'AGENT_STRUCTURE_MISMATCH'],
        ['a name in a list', { key: 'a.list.x' }, file, 'AGENT_STRUCTURE_MISMATCH'],
        ['beyond a list', { key: 'a.list.9' }, file, 'AGENT_STRUCTURE_MISMATCH'],
        [
          'whatever is first of a list',
          { key: 'a.list.0', state: 'absent', value: '' },
          file,
          'AGENT_EDIT_NOT_STABLE',
        ],
        ['text without quotes', { value: 'db.internal' }, file, 'POLICY_PARAMETER_INVALID'],
        ['an empty name', { key: 'a..b' }, file, 'POLICY_PARAMETER_INVALID'],
        ['no directory', {}, undefined, 'AGENT_PATH_MISSING'],
      ],
    },
  ),
);

t.test('a missing file is made', (t) =>
  proveExecutor(t, jsonFileType, [
    {
      name: 'made',
      parameters: { target_path: path, key: 'a.b', value: '"v"' },
      arrange: (root) => mkdirSync(`${root}/etc`),
      action: 'created',
      check: (root, t) =>
        t.equal(readFileSync(root + path, 'utf8'), '{\n  "a": {\n    "b": "v"\n  }\n}\n'),
    },
  ]),
);

t.test('what JSON.parse reads, we read and print alike; what it refuses, we refuse', async (t) => {
  fc.assert(
    fc.property(fc.json(), fc.nat(4), (text, indent) => {
      const printed = printJson(parseJson(text), indent);
      if (!sameJson(parseJson(printed), parseJson(text))) throw new Error(printed);
      const expected = JSON.stringify(JSON.parse(text));
      if (JSON.stringify(JSON.parse(printed)) !== expected) throw new Error(printed);
    }),
  );
  const noise = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ u0ae-+.1\n\tnultrsf\u0001') });
  const reads = (read: () => unknown) => {
    try {
      read();
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(noise, (text) => {
      if (reads(() => parseJson(text)) !== reads(() => JSON.parse(text)))
        throw new Error(JSON.stringify(text));
    }),
    { numRuns: 20_000 },
  );
  t.throws(() => parseJson('['.repeat(100_000)), 'no deep nesting ends the agent');
});

t.test('what was set is there, and what was removed is gone, at any path', async (t) => {
  const part = fc.constantFrom('a', 'b', 'x.y', '__proto__', '0');
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(part, { minLength: 1, maxLength: 3 }), (value, parts) => {
      const key = parts.map((one) => one.replaceAll('.', '\\.')).join('.');
      t.same(pathParts(key), parts);
      const wanted = parseJson(JSON.stringify(value));
      const tree = setAt(parseJson('{"b":{"a":{"c":1}}}'), parts, wanted);
      if (!sameJson(setAt(tree, parts, wanted), tree)) throw new Error('not stable');
      const rest = removeAt(tree, parts, undefined);
      if (sameJson(rest, tree)) throw new Error('still there');
    }),
    { numRuns: 300 },
  );
});
