import t from 'tap';
import { editField, fieldEditType } from '../../../../agent/executors/cross/field-edit.ts';
import { fc } from '../../../support/property.ts';
import { proveTextEdits } from '../../../support/text-edit-cases.ts';

const path = '/etc/group';
const groups = 'root:x:0:\nwheel:x:10:bob\n';

t.test('a field is what is declared', (t) =>
  proveTextEdits(
    t,
    fieldEditType,
    path,
    { path, line_match: '^wheel:', select_field: 4, field_value: 'alice' },
    {
      edits: [
        ['set', {}, groups, 'root:x:0:\nwheel:x:10:alice\n'],
        ['set already', {}, 'wheel:x:10:alice', 'wheel:x:10:alice'],
        ['appended', { field_operation: 'append' }, groups, 'root:x:0:\nwheel:x:10:bob,alice\n'],
        ['put first', { field_operation: 'prepend' }, groups, 'root:x:0:\nwheel:x:10:alice,bob\n'],
        [
          'into an empty field',
          { field_operation: 'append' },
          'wheel:x:10:\n',
          'wheel:x:10:alice\n',
        ],
        [
          'one of several already',
          { field_operation: 'append' },
          'wheel:x:1:a,alice,b\n',
          'wheel:x:1:a,alice,b\n',
        ],
        ['taken out', { field_operation: 'delete' }, 'wheel:x:1:a,alice,b\n', 'wheel:x:1:a,b\n'],
        ['absent', { state: 'absent' }, 'wheel:x:1:alice\n', 'wheel:x:1:\n'],
        [
          'absent without a value clears',
          { state: 'absent', field_value: '' },
          groups,
          'root:x:0:\nwheel:x:10:\n',
        ],
        ['absent in no line', { state: 'absent' }, 'root:x:0:\n', 'root:x:0:\n'],
        [
          'emptied',
          { field_value: '', field_operation: 'delete', state: 'absent' },
          'wheel:x:1:a',
          'wheel:x:1:',
        ],
        ['fields are added when allowed', { extend_fields: true }, 'wheel:x\n', 'wheel:x::alice\n'],
        [
          'every line that matches',
          { line_match: '^w' },
          'w:::\nw2:::\n',
          'w:::alice\nw2:::alice\n',
        ],
        ['with CRLF', {}, 'wheel:x:10:bob\r\n', 'wheel:x:10:alice\r\n'],
        [
          'other separators',
          {
            line_match: '^a',
            field_separator: ' | ',
            value_separator: ';',
            field_operation: 'append',
            select_field: 2,
          },
          'a | x;y | z\n',
          'a | x;y;alice | z\n',
        ],
      ],
      refusals: [
        ['no such line', {}, 'root:x:0:\n', 'AGENT_LINE_MISSING'],
        ['too few fields', {}, 'wheel:x\n', 'AGENT_FIELD_MISSING'],
        ['the line would not be found again', { select_field: 1 }, groups, 'AGENT_EDIT_NOT_STABLE'],
        ['a separator in the value', { field_value: 'a:b' }, groups, 'POLICY_PARAMETER_INVALID'],
        [
          'two values in one',
          { field_value: 'a,b', field_operation: 'append' },
          groups,
          'POLICY_PARAMETER_INVALID',
        ],
        ['two lines', { field_value: 'a\nroot' }, groups, 'POLICY_PARAMETER_INVALID'],
        ['field 0', { select_field: 0 }, groups, 'POLICY_PARAMETER_INVALID'],
        ['no value', { field_value: '' }, undefined, 'AGENT_PATH_MISSING'],
      ],
    },
  ),
);

t.test('an edit of a field never touches another one', async (t) => {
  const field = fc.string({ unit: fc.constantFrom('a', 'b', ',', ' ', '\r', '#') });
  const operation = fc.constantFrom('set', 'append', 'prepend', 'delete');
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), operation, (fields, operation) => {
      const spec = fieldEditType.parse({
        path,
        line_match: '^',
        select_field: 1,
        field_value: 'a',
        field_operation: operation,
      });
      const before = fields.join(':');
      fc.pre(before !== '');
      const after = editField(before, spec);
      if (after.split(':').slice(1).join(':') !== before.split(':').slice(1).join(':'))
        throw new Error(JSON.stringify([before, after]));
    }),
  );
  t.pass();
});
