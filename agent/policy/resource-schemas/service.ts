import { commandTargets, type ResourceSchema, text } from './schema.ts';

export const serviceSchema: ResourceSchema = {
  name: 'service',
  parameters: [
    { name: 'service', kind: 'string', required: true, description: 'Name of the service.' },
    {
      name: 'state',
      kind: 'enum',
      values: ['running', 'stopped', 'restarted', 'reloaded'],
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
};
