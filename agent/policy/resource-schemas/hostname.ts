import type { ResourceSchema } from './schema.ts';

export const hostnameSchema = {
  name: 'hostname',
  summary: 'Keeps the name of the node.',
  notes: ['/etc/hosts is left alone: declare its entry with the type host.'],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'hostname',
      kind: 'string',
      required: true,
      pattern:
        '^(?=.{1,64}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?)*$',
      patternMeaning: 'a host name of at most 64 characters',
      description: 'The name, short or fully qualified.',
    },
  ],
  examples: [
    {
      title: 'A name of its own',
      resources: [{ name: 'name', type: 'hostname', hostname: 'web01' }],
    },
  ],
  targets: () => [{ kind: 'path', value: '/etc/hostname', effect: 'write' }],
} as const satisfies ResourceSchema;
