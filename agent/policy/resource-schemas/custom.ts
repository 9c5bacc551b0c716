import { commandTargets, type ResourceSchema } from './schema.ts';

export const customSchema = {
  name: 'custom',
  summary: 'Lets a script of yours look after a resource.',
  notes: [
    'On standard input the script gets {"state", "params", "dry_run"}; on standard output it answers {"action": "none|created|updated|deleted|skipped", "changed": false, "error": ""}.',
    'With dry_run true it must change nothing and say what it would do. It is run again with dry_run false only when that is something, so it must be idempotent.',
    'The script must belong to root and not be writable by others.',
  ],
  category: 'commands',
  parameters: [
    { name: 'script', kind: 'path', required: true, description: 'The program to run.' },
    {
      name: 'state',
      kind: 'string',
      default: 'present',
      format: 'one-line',
      description: 'Handed to the script.',
    },
    { name: 'params', kind: 'map', description: 'Handed to the script.' },
    {
      name: 'timeout',
      kind: 'string',
      format: 'duration',
      default: '300s',
      description: 'Seconds, or 30s, 45m, 4h.',
    },
  ],
  examples: [
    {
      title: 'A licence that a vendor tool installs',
      resources: [
        {
          name: 'licence',
          type: 'custom',
          script: '/usr/local/lib/site/licence',
          params: { product: 'db', seats: 5 },
          timeout: '60s',
        },
      ],
    },
  ],
  targets: (parameters) => commandTargets(parameters, 'script'),
} as const satisfies ResourceSchema;
