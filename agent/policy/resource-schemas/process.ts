import { commandTargets, type ResourceSchema, text } from './schema.ts';

export const processSchema = {
  name: 'process',
  summary: 'Keeps the right number of processes of a program running.',
  notes: [
    'Too few are started by restart_unit or restart_method. Of too many the oldest stay; the others get the signal, and after ten seconds KILL.',
    'A service of the system is better declared with the type service.',
  ],
  category: 'services',
  platforms: ['linux'],
  parameters: [
    {
      name: 'process',
      kind: 'string',
      required: true,
      format: 'one-line',
      description: 'Name of the program, or a pattern of its command line.',
    },
    {
      name: 'state',
      kind: 'enum',
      values: ['running', 'stopped'],
      default: 'running',
      description: 'Whether it is to run.',
    },
    {
      name: 'signal',
      kind: 'enum',
      values: ['TERM', 'INT', 'HUP', 'QUIT', 'KILL', 'USR1', 'USR2'],
      default: 'TERM',
      description: 'Signal that ends one.',
    },
    {
      name: 'match_mode',
      kind: 'enum',
      values: ['exact', 'pattern'],
      default: 'exact',
      description: 'exact compares the name; pattern is a regular expression of the command line.',
    },
    {
      name: 'count',
      kind: 'integer',
      minimum: 0,
      maximum: 10_000,
      description: 'Exactly so many.',
    },
    {
      name: 'min',
      kind: 'integer',
      minimum: 0,
      maximum: 10_000,
      description: 'At least so many; 1.',
    },
    { name: 'max', kind: 'integer', minimum: 0, maximum: 10_000, description: 'At most so many.' },
    {
      name: 'restart_method',
      kind: 'string',
      description: 'systemctl, or a shell command that starts it and returns.',
    },
    {
      name: 'restart_unit',
      kind: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9:_.\\\\@-]{0,254}$',
      patternMeaning: 'a systemd unit',
      description: 'systemd unit that is restarted.',
    },
    {
      name: 'kill_timeout',
      kind: 'boolean',
      default: true,
      description: 'End those above count or max; else they are a failure.',
    },
  ],
  exclusive: [
    ['count', 'min'],
    ['count', 'max'],
  ],
  forms: [
    {
      when: { parameter: 'match_mode', values: ['pattern'] },
      parameter: 'process',
      format: 'regex',
    },
  ],
  examples: [
    {
      title: 'A worker that is started when it is gone',
      resources: [
        { name: 'worker', type: 'process', process: 'worker', restart_unit: 'worker.service' },
      ],
    },
  ],
  targets: (parameters) => {
    const unit = text(parameters, 'restart_unit');
    const method = text(parameters, 'restart_method');
    const process = text(parameters, 'process');
    const flag = text(parameters, 'match_mode') === 'pattern' ? '-f' : '-x';
    const ends = ['count', 'max'].some((name) => text(parameters, name) !== undefined);
    return [
      ...(process !== undefined && (ends || text(parameters, 'state') === 'stopped')
        ? [{ kind: 'command', value: `pkill ${flag} '${process}'`, effect: 'run' } as const]
        : []),
      ...(unit === undefined ? [] : [{ kind: 'service', value: unit, effect: 'write' } as const]),
      ...(method === 'systemctl' ? [] : commandTargets(parameters, 'restart_method')),
    ];
  },
} as const satisfies ResourceSchema;
