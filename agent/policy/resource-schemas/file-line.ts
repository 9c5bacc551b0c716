import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const fileLineSchema: ResourceSchema = {
  name: 'file_line',
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'The file to edit.' },
    { name: 'line', kind: 'string', description: 'The line that is to be there.' },
    {
      name: 'match_pattern',
      kind: 'string',
      description: 'Regular expression; with line, matched lines are replaced by it.',
    },
    presence,
    {
      name: 'position',
      kind: 'string',
      default: 'end',
      description: 'Where a new line goes: end, begin, after:<regex> or before:<regex>.',
    },
    {
      name: 'region_start',
      kind: 'string',
      description: 'Regular expression of the line after which the edit may happen.',
    },
    {
      name: 'region_end',
      kind: 'string',
      description: 'Regular expression of the line before which the edit must end.',
    },
  ],
  requiredUnlessAbsent: ['line'],
  oneOf: [['line', 'match_pattern']],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }),
};
