import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const fileLineSchema = {
  name: 'file_line',
  summary: 'Keeps one line in a file that something else owns.',
  notes: ['For a whole file use `file`: it says more, and its diff is the truth about the file.'],
  category: 'files',
  since: '0.1',
  examples: [
    {
      title: 'A setting that replaces whatever stands there',
      resources: [
        {
          name: 'No password logins',
          type: 'file_line',
          target_path: '/etc/ssh/sshd_config',
          line: 'PasswordAuthentication no',
          match_pattern: '^#?\\s*PasswordAuthentication\\s',
        },
      ],
    },
    {
      title: 'Lines that must not be there',
      resources: [
        {
          name: 'No loopback alias',
          type: 'file_line',
          target_path: '/etc/hosts',
          match_pattern: '^127\\.0\\.1\\.1\\s',
          state: 'absent',
        },
      ],
    },
  ],
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'The file to edit.' },
    {
      name: 'line',
      kind: 'string',
      format: 'one-line',
      description: 'The line that is to be there.',
    },
    {
      name: 'match_pattern',
      kind: 'string',
      format: 'regex',
      description: 'Regular expression; with line, matched lines are replaced by it.',
    },
    presence,
    {
      name: 'position',
      kind: 'string',
      default: 'end',
      format: 'line-position',
      description: 'Where a new line goes: end, begin, after:<regex> or before:<regex>.',
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
  requiredUnlessAbsent: ['line'],
  oneOf: [['line', 'match_pattern']],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }),
} as const satisfies ResourceSchema;
