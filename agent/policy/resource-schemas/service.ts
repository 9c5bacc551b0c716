import { commandTargets, type ResourceSchema, text } from './schema.ts';

export const serviceSchema = {
  name: 'service',
  summary: 'Keeps a service running or stopped, and started at boot or not.',
  notes: [
    'The agent finds out which init system runs: systemd, OpenRC, runit or SysV init scripts. The name is the same on each; a suffix `.service` is left out where there are no units.',
    '`restarted` and `reloaded` are acts, not states: they happen when another resource has changed, so they need `when: "changed"` or `subscribes`. A reload of what does not run starts it, and one of what cannot reload restarts it.',
    'Started at boot means: an enabled unit (systemd), a link in a runlevel (OpenRC, which gets `default`), a start link in the default runlevel (SysV), a linked directory without a file `down` (runit). Only systemd masks: a service that is to run or be enabled is unmasked.',
    'On SysV a service runs if the process of its pid file does, or else if its script says so when asked for `status`.',
  ],
  category: 'services',
  since: '0.1',
  examples: [
    {
      title: 'Running, and started at boot',
      resources: [{ type: 'service', service: 'cron', state: 'running', enabled: true }],
    },
    {
      title: 'Restarted when its configuration has changed',
      resources: [
        {
          name: 'Resolver configuration',
          type: 'file',
          target_path: '/etc/unbound/unbound.conf.d/site.conf',
          content: 'server:\n  interface: 127.0.0.1\n',
          notify: 'Restart unbound',
        },
        {
          name: 'Restart unbound',
          type: 'service',
          service: 'unbound',
          state: 'restarted',
          enabled: true,
          when: 'changed',
        },
      ],
    },
  ],
  parameters: [
    {
      name: 'service',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9][A-Za-z0-9:_.@/\\\\-]{0,254}$',
      patternMeaning: 'the name of a service',
      examples: ['nginx', 'getty@tty1.service'],
      description: 'Name of the service.',
    },
    {
      name: 'state',
      kind: 'enum',
      values: ['running', 'stopped', 'restarted', 'reloaded'],
      valueNotes: {
        running: 'started when it does not run',
        stopped: 'stopped when it runs',
        restarted: 'restarted each time that it is triggered',
        reloaded: 'told to read its configuration again each time that it is triggered',
      },
      default: 'running',
      description: 'restarted and reloaded act each time, so they need when: "changed".',
    },
    {
      name: 'enabled',
      kind: 'boolean',
      description: 'Whether it starts at boot; unset leaves it.',
    },
    { name: 'restart_command', kind: 'string', description: 'Used instead of the restart.' },
    { name: 'reload_command', kind: 'string', description: 'Used instead of the reload.' },
  ],
  oneShotStates: ['restarted', 'reloaded'],
  targets: (parameters) => {
    const value = text(parameters, 'service');
    const stops = parameters.state === 'stopped' || text(parameters, 'enabled') === 'false';
    return [
      ...(value === undefined
        ? []
        : [{ kind: 'service', value, effect: stops ? 'stop' : 'write' } as const]),
      ...commandTargets(parameters, 'restart_command', 'reload_command'),
    ];
  },
} as const satisfies ResourceSchema;
