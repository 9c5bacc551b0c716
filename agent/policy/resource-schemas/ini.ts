import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const iniSchema = {
  name: 'ini',
  summary: 'Keeps one setting of an INI file; comments and everything else stay.',
  notes: [
    'What follows the separator on the line is the value, a comment at its end included.',
    'A missing file is created with mode 0644, a missing section at its end.',
  ],
  category: 'files',
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'The file to edit.' },
    {
      name: 'section',
      kind: 'string',
      format: 'one-line',
      description: 'Name without brackets; unset for the part before the first section.',
    },
    {
      name: 'key',
      kind: 'string',
      required: true,
      format: 'one-line',
      description: 'Name of the setting.',
    },
    {
      name: 'value',
      kind: 'string',
      format: 'one-line',
      description: 'Its value, may be empty; required for present.',
    },
    presence,
    {
      name: 'separator',
      kind: 'string',
      default: '=',
      description: 'What stands between key and value of a new line; may hold spaces.',
    },
  ],
  requiredUnlessAbsent: ['value'],
  examples: [
    {
      title: 'A setting of the journal',
      resources: [
        {
          name: 'journal size',
          type: 'ini',
          target_path: '/etc/systemd/journald.conf',
          section: 'Journal',
          key: 'SystemMaxUse',
          value: '500M',
        },
      ],
    },
  ],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }),
} as const satisfies ResourceSchema;
