import { commandTargets, isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const cronSchema = {
  name: 'cron',
  summary: 'Keeps one scheduled job as one file in `/etc/cron.d`.',
  notes: [
    'The file is compared byte by byte; what was edited by hand is put back. `%` in the command is a line break for cron, as in every crontab.',
  ],
  category: 'system',
  platforms: ['linux'],
  since: '0.1',
  examples: [
    {
      title: 'A nightly job',
      resources: [
        {
          type: 'cron',
          name: 'rotate-reports',
          schedule: '15 3 * * *',
          user: 'root',
          command: 'find /var/reports -mtime +30 -delete',
        },
      ],
    },
    {
      title: 'By single fields, with an environment',
      resources: [
        {
          type: 'cron',
          name: 'heartbeat',
          minute: '*/5',
          environment: ['MAILTO=root', 'SHELL=/bin/sh'],
          command: 'date > /run/heartbeat',
        },
      ],
    },
    { title: 'No longer', resources: [{ type: 'cron', name: 'old-job', state: 'absent' }] },
  ],
  parameters: [
    {
      name: 'name',
      kind: 'string',
      required: true,
      format: 'cron-name',
      description: 'File name in /etc/cron.d; it is also the name of the resource.',
    },
    {
      name: 'command',
      kind: 'string',
      format: 'one-line',
      description: 'What to run; required for present.',
    },
    presence,
    {
      name: 'schedule',
      kind: 'string',
      format: 'cron-schedule',
      examples: ['0 3 * * *', '*/15 8-18 * * mon-fri', '@daily'],
      description: 'Five fields or @daily, @reboot, ...; wins over the fields.',
    },
    {
      name: 'minute',
      kind: 'string',
      format: 'cron-minute',
      default: '*',
      description: 'Minute field.',
    },
    { name: 'hour', kind: 'string', format: 'cron-hour', default: '*', description: 'Hour field.' },
    {
      name: 'day',
      kind: 'string',
      format: 'cron-day',
      default: '*',
      description: 'Day of month field.',
    },
    {
      name: 'month',
      kind: 'string',
      format: 'cron-month',
      default: '*',
      description: 'Month field.',
    },
    {
      name: 'weekday',
      kind: 'string',
      format: 'cron-weekday',
      default: '*',
      description: 'Day of week field.',
    },
    {
      name: 'user',
      kind: 'string',
      format: 'account-name',
      default: 'root',
      description: 'User to run it as.',
    },
    {
      name: 'environment',
      kind: 'list',
      format: 'environment',
      description: 'KEY=VALUE, a list or comma-separated.',
    },
  ],
  requiredUnlessAbsent: ['command'],
  targets: (parameters) => {
    const name = text(parameters, 'name');
    const effect = isAbsent(parameters) ? 'remove' : 'write';
    return [
      ...(name === undefined
        ? []
        : [{ kind: 'path', value: `/etc/cron.d/${name}`, effect } as const]),
      ...commandTargets(parameters, 'command'),
    ];
  },
} as const satisfies ResourceSchema;
