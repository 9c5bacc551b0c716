import type { ResourceSchema } from './schema.ts';

export const timezoneSchema = {
  name: 'timezone',
  summary: 'Keeps the time zone of the node.',
  notes: ['Programs that run already keep the old zone until they are restarted.'],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'timezone',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}$',
      patternMeaning: 'an IANA name such as Europe/Berlin or UTC',
      description: 'IANA name; the package tzdata brings them.',
      examples: ['UTC', 'Europe/Berlin'],
    },
  ],
  examples: [
    {
      title: 'Everything in UTC',
      resources: [{ name: 'utc', type: 'timezone', timezone: 'UTC' }],
    },
  ],
  targets: () =>
    ['/etc/localtime', '/etc/timezone'].map((value) => ({ kind: 'path', value, effect: 'write' })),
} as const satisfies ResourceSchema;
