import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const fieldEditSchema = {
  name: 'field_edit',
  summary: 'Keeps one field of the matching lines of a file of fields, such as /etc/group.',
  category: 'files',
  parameters: [
    { name: 'path', kind: 'path', required: true, description: 'The file to edit.' },
    {
      name: 'line_match',
      kind: 'string',
      format: 'regex',
      required: true,
      description: 'Regular expression of the lines.',
      examples: ['^wheel:'],
    },
    {
      name: 'select_field',
      kind: 'integer',
      required: true,
      minimum: 1,
      maximum: 1000,
      description: 'Number of the field; the first is 1.',
    },
    { ...presence, description: 'absent removes the value, or clears the field without one.' },
    {
      name: 'field_separator',
      kind: 'string',
      default: ':',
      description: 'Text between two fields.',
    },
    { name: 'field_value', kind: 'string', description: 'The value; required for present.' },
    {
      name: 'field_operation',
      kind: 'enum',
      values: ['set', 'append', 'prepend', 'delete'],
      default: 'set',
      description: 'Set the whole field, or add or take one value of a field of several.',
    },
    {
      name: 'value_separator',
      kind: 'string',
      default: ',',
      description: 'Text between two values of one field.',
    },
    {
      name: 'extend_fields',
      kind: 'boolean',
      default: false,
      description: 'Add empty fields when the line has too few; else that is a failure.',
    },
  ],
  requiredUnlessAbsent: ['field_value'],
  examples: [
    {
      title: 'A member of a group that another program manages',
      resources: [
        {
          name: 'alice in wheel',
          type: 'field_edit',
          path: '/etc/group',
          line_match: '^wheel:',
          select_field: 4,
          field_operation: 'append',
          field_value: 'alice',
        },
      ],
    },
  ],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }, 'path'),
} as const satisfies ResourceSchema;
