import { AgentError } from '../../errors.ts';
import { fieldEditSchema } from '../../policy/resource-schemas/field-edit.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { ParameterReader } from '../parameters.ts';
import { splitText } from './line-edit.ts';
import { readPath } from './places.ts';
import { type TextEditSpec, textEditType } from './text-edit.ts';

export interface FieldEditSpec extends TextEditSpec {
  readonly lineMatch: RegExp;
  /** 1-based. */
  readonly field: number;
  readonly separator: string;
  readonly value: string | undefined;
  readonly operation: 'set' | 'append' | 'prepend' | 'delete';
  readonly valueSeparator: string;
  readonly extend: boolean;
}

const fieldLimit = 1000;

/** One field of every line that matches, such as the groups of a user in a colon-separated file. */
export const fieldEditType = textEditType<FieldEditSpec>({
  name: 'field_edit',
  parameters: fieldEditSchema.parameters,
  parse,
  edit: editField,
  reason: (spec) =>
    spec.operation === 'delete'
      ? `field ${spec.field} holds what is to go`
      : `field ${spec.field} differs`,
});

function parse(values: Readonly<Record<string, PolicyValue>>): FieldEditSpec {
  const reader = new ParameterReader(fieldEditSchema.parameters, values);
  const absent = reader.absent();
  const operations = ['set', 'append', 'prepend', 'delete'] as const;
  const operation = reader.enumeration('field_operation', operations) ?? 'set';
  const spec: FieldEditSpec = {
    path: readPath(reader, 'path'),
    absent,
    create: false,
    lineMatch: reader.regex('line_match') ?? /(?!)/,
    field: reader.integer('select_field', 1, fieldLimit) ?? 1,
    separator: reader.text('field_separator') ?? ':',
    value: reader.textOrEmpty('field_value'),
    operation: absent ? 'delete' : operation,
    valueSeparator: reader.text('value_separator') ?? ',',
    extend: reader.boolean('extend_fields') === true,
  };
  const { value, separator, valueSeparator } = spec;
  if (value === undefined && !absent)
    reader.problem('field_value', 'is required for state present');
  if (value !== undefined && /[\r\n]/.test(value))
    reader.problem('field_value', 'must be one line');
  if (value?.includes(separator))
    reader.problem('field_value', 'must not hold the field separator');
  if (spec.operation !== 'set' && value !== undefined) {
    if (value.includes(valueSeparator))
      reader.problem('field_value', 'must be one value, without the value separator');
    if (value === '' && !absent) reader.problem('field_value', 'must not be empty');
  }
  reader.finish();
  return spec;
}

export function editField(text: string, spec: FieldEditSpec): string {
  const old = splitText(text);
  let found = false;
  let changed = false;
  const edited = old.bare.map((line, index) => {
    if (!spec.lineMatch.test(line)) return old.lines[index]!;
    found = true;
    const next = editLine(line, spec);
    if (next === line) return old.lines[index]!;
    changed = true;
    return next + (old.lines[index]!.endsWith('\r') ? '\r' : '');
  });
  if (!found && spec.operation !== 'delete')
    throw new AgentError('AGENT_LINE_MISSING', { detail: spec.path });
  if (!changed) return text;
  // No line is added, so the end of the file stays as it is.
  return edited.join('\n') + (old.lines.length > 0 && text.endsWith('\n') ? '\n' : '');
}

function editLine(line: string, spec: FieldEditSpec): string {
  const fields = line.split(spec.separator);
  const index = spec.field - 1;
  if (index >= fields.length) {
    if (spec.operation === 'delete') return line;
    if (!spec.extend)
      throw new AgentError('AGENT_FIELD_MISSING', {
        detail: `${fields.length} instead of ${spec.field} in ${spec.path}`,
      });
    while (fields.length <= index) fields.push('');
  }
  fields[index] = editValue(fields[index]!, spec);
  return fields.join(spec.separator);
}

function editValue(field: string, spec: FieldEditSpec): string {
  const { operation, value = '', valueSeparator } = spec;
  if (operation === 'set') return value;
  if (operation === 'delete' && value === '') return '';
  const values = field === '' ? [] : field.split(valueSeparator);
  if (operation === 'delete') {
    const left = values.filter((one) => one !== value);
    return left.length === values.length ? field : left.join(valueSeparator);
  }
  if (values.includes(value)) return field;
  return (operation === 'append' ? [...values, value] : [value, ...values]).join(valueSeparator);
}
