import { commandTargets, isAbsent, list, presence, type ResourceSchema, text } from './schema.ts';

export const logrotateSchema = {
  name: 'logrotate',
  summary: 'Keeps how log files are rotated, in a file of /etc/logrotate.d.',
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'name',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$',
      patternMeaning: 'letters, digits, "_", "-" and "."',
      description: 'File name in /etc/logrotate.d.',
    },
    presence,
    {
      name: 'path',
      kind: 'list',
      pattern: '^/[^"\'\\\\\\u0000-\\u001f\\u007f]*$',
      patternMeaning: 'an absolute path without quotes; * and ? match',
      description: 'Log files, may be patterns; required for present.',
      examples: ['/var/log/app/*.log'],
    },
    {
      name: 'frequency',
      kind: 'enum',
      values: ['hourly', 'daily', 'weekly', 'monthly', 'yearly'],
      default: 'weekly',
      description: 'How often.',
    },
    {
      name: 'rotate',
      kind: 'integer',
      minimum: 0,
      maximum: 100_000,
      default: 4,
      description: 'How many old files are kept.',
    },
    { name: 'compress', kind: 'boolean', default: true, description: 'Compress old files.' },
    {
      name: 'delaycompress',
      kind: 'boolean',
      default: true,
      description: 'Leave the newest old file uncompressed.',
    },
    {
      name: 'missingok',
      kind: 'boolean',
      default: true,
      description: 'A missing log file is no error.',
    },
    {
      name: 'notifempty',
      kind: 'boolean',
      default: true,
      description: 'Do not rotate an empty file.',
    },
    {
      name: 'copytruncate',
      kind: 'boolean',
      default: false,
      description: 'Copy and empty the file, for programs that keep it open.',
    },
    {
      name: 'size',
      kind: 'string',
      pattern: '^[0-9]{1,12}[kMG]?$',
      patternMeaning: 'a size such as 500k, 100M or 1G',
      description: 'Rotate when it is larger than this, whatever the frequency.',
    },
    {
      name: 'maxage',
      kind: 'integer',
      minimum: 0,
      maximum: 100_000,
      description: 'Remove old files after this many days.',
    },
    {
      name: 'create',
      kind: 'string',
      pattern: '^[0-7]{3,4}(?: [A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)?)?$',
      patternMeaning: 'a mode, and optionally owner and group: 0640 www-data adm',
      description: 'Make the new log file with this mode, owner and group.',
    },
    { name: 'postrotate', kind: 'string', description: 'Shell commands after a rotation.' },
  ],
  requiredUnlessAbsent: ['path'],
  examples: [
    {
      title: 'Logs of an application',
      resources: [
        {
          name: 'app-logs',
          type: 'logrotate',
          path: '/var/log/app/*.log',
          frequency: 'daily',
          rotate: 14,
          postrotate: 'systemctl kill -s HUP app.service',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const name = text(parameters, 'name');
    const effect = isAbsent(parameters) ? 'remove' : 'write';
    return [
      ...(name === undefined
        ? []
        : [{ kind: 'path', value: `/etc/logrotate.d/${name}`, effect } as const]),
      // Where logs belong, also the agent's may be rotated.
      ...list(parameters, 'path')
        .filter((value) => !/^\/var\/log\/(?!.*\.\.)/.test(value))
        .map((value) => ({ kind: 'path', value, effect: 'write' }) as const),
      ...commandTargets(parameters, 'postrotate'),
    ];
  },
} as const satisfies ResourceSchema;
