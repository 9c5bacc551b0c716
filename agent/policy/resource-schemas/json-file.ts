import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const jsonFileSchema = {
  name: 'json_file',
  summary: 'Keeps one value in a JSON file.',
  notes: [
    'Missing objects on the way are made, and a missing file with mode 0644. After a change the file is pretty-printed; numbers keep their digits and keys their order.',
    'Removing an element of a list needs its value too, since the next element takes its place.',
  ],
  category: 'files',
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'The file to edit.' },
    {
      name: 'key',
      kind: 'string',
      required: true,
      description: 'Names and list indices, separated by dots; "\\." is a dot within a name.',
      examples: ['server.ports.0'],
    },
    {
      name: 'value',
      kind: 'string',
      description: 'A JSON literal; required for present.',
      examples: ['"db.internal"', '8080', 'true', '[1, 2, 3]'],
    },
    presence,
    {
      name: 'indent',
      kind: 'integer',
      default: 2,
      minimum: 0,
      maximum: 16,
      description: 'Spaces per level after a change.',
    },
  ],
  requiredUnlessAbsent: ['value'],
  examples: [
    {
      title: 'The log driver of docker',
      resources: [
        {
          name: 'docker logs',
          type: 'json_file',
          target_path: '/etc/docker/daemon.json',
          key: 'log-driver',
          value: '"journald"',
        },
      ],
    },
  ],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }),
} as const satisfies ResourceSchema;
