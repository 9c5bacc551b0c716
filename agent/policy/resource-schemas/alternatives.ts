import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const alternativesSchema = {
  name: 'alternatives',
  summary: 'Keeps what a generic command name such as editor or java stands for.',
  notes: ['absent without a path removes the whole group.'],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'name',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$',
      patternMeaning: 'the name of a group of alternatives',
      description: 'Name of the group.',
      examples: ['editor'],
    },
    presence,
    { name: 'path', kind: 'path', description: 'The program; required for present.' },
    {
      name: 'link',
      kind: 'path',
      description: 'The generic link; needed when the group does not exist yet.',
      examples: ['/usr/bin/editor'],
    },
    {
      name: 'priority',
      kind: 'integer',
      minimum: -1_000_000,
      maximum: 1_000_000,
      description: 'Priority to register the program with; unset leaves it.',
    },
  ],
  requiredUnlessAbsent: ['path'],
  examples: [
    {
      title: 'The editor',
      resources: [{ name: 'editor', type: 'alternatives', path: '/usr/bin/vim.basic' }],
    },
  ],
  targets: (parameters) => pathTargets(parameters, 'link'),
} as const satisfies ResourceSchema;
