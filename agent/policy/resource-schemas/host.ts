import { presence, type ResourceSchema } from './schema.ts';

export const hostSchema = {
  name: 'host',
  summary: 'Keeps an entry of /etc/hosts.',
  notes: [
    'The entry is found by its first name. A name may have an IPv4 and an IPv6 entry; absent without an address removes both.',
  ],
  category: 'network',
  parameters: [
    {
      name: 'hostname',
      kind: 'string',
      required: true,
      format: 'host-name',
      description: 'The first name of the entry.',
    },
    presence,
    {
      name: 'ip',
      kind: 'string',
      format: 'ip-address',
      description: 'Its address; required for present.',
    },
    {
      name: 'aliases',
      kind: 'string',
      description: 'Further names separated by spaces, exactly these; unset leaves them.',
    },
  ],
  requiredUnlessAbsent: ['ip'],
  examples: [
    {
      title: 'A name for the database',
      resources: [
        { name: 'db', type: 'host', hostname: 'db.internal', ip: '10.0.1.5', aliases: 'db' },
      ],
    },
  ],
  targets: () => [{ kind: 'path', value: '/etc/hosts', effect: 'write' }],
} as const satisfies ResourceSchema;
