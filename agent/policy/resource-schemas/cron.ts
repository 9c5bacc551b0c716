import { commandTargets, isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const cronSchema: ResourceSchema = {
  name: 'cron',
  parameters: [
    {
      name: 'name',
      kind: 'string',
      required: true,
      description: 'File name in /etc/cron.d; it is also the name of the resource.',
    },
    { name: 'command', kind: 'string', description: 'What to run; required for present.' },
    presence,
    {
      name: 'schedule',
      kind: 'string',
      description: 'Five fields or @daily, @reboot, ...; wins over the fields.',
    },
    { name: 'minute', kind: 'string', default: '*', description: 'Minute field.' },
    { name: 'hour', kind: 'string', default: '*', description: 'Hour field.' },
    { name: 'day', kind: 'string', default: '*', description: 'Day of month field.' },
    { name: 'month', kind: 'string', default: '*', description: 'Month field.' },
    { name: 'weekday', kind: 'string', default: '*', description: 'Day of week field.' },
    { name: 'user', kind: 'string', default: 'root', description: 'User to run it as.' },
    { name: 'environment', kind: 'list', description: 'KEY=VALUE, a list or comma-separated.' },
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
};
