import { pathTargets, type ResourceSchema } from './schema.ts';

export const replaceSchema = {
  name: 'replace',
  summary: 'Replaces what matches a regular expression in a text file.',
  notes: [
    'An edit whose result would match and change again is refused, because it would change the file on every pass: let the pattern match only what is wrong.',
  ],
  category: 'files',
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'The file to edit.' },
    {
      name: 'match_pattern',
      kind: 'string',
      format: 'regex',
      required: true,
      description: 'Regular expression; ^ and $ are the ends of a line.',
    },
    {
      name: 'replacement',
      kind: 'string',
      description: 'The new text, may be empty; $1 is a group and $$ a dollar.',
    },
    {
      name: 'occurrences',
      kind: 'enum',
      values: ['all', 'first'],
      default: 'all',
      description: 'Whether every match is replaced or only the first.',
    },
    {
      name: 'region_start',
      kind: 'string',
      format: 'regex',
      description: 'Regular expression of the line after which the edit may happen.',
    },
    {
      name: 'region_end',
      kind: 'string',
      format: 'regex',
      description: 'Regular expression of the line before which the edit must end.',
    },
  ],
  examples: [
    {
      title: 'Another mirror in every line',
      resources: [
        {
          name: 'mirror',
          type: 'replace',
          target_path: '/etc/apt/sources.list',
          match_pattern: 'http://deb\\.debian\\.org/',
          replacement: 'http://mirror.example/',
        },
      ],
    },
  ],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }),
} as const satisfies ResourceSchema;
