import { isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const systemdDropinSchema = {
  name: 'systemd_dropin',
  summary: 'Keeps a drop-in of a systemd unit.',
  notes: [
    'systemd reads its units again after a change. The unit is not restarted: let a service resource subscribe.',
  ],
  category: 'services',
  platforms: ['linux'],
  parameters: [
    {
      name: 'unit',
      kind: 'string',
      required: true,
      pattern:
        '^[A-Za-z0-9_][A-Za-z0-9:_.\\\\@-]{0,200}\\.(?:service|socket|timer|path|target|mount|automount|swap|slice|scope|device)$',
      patternMeaning: 'a unit with its suffix, such as nginx.service',
      description: 'The unit.',
    },
    {
      name: 'dropin',
      kind: 'string',
      default: 'override',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$',
      patternMeaning: 'letters, digits, "_", "-" and "."',
      description: 'File name without .conf.',
    },
    { name: 'content', kind: 'string', description: 'The whole file; required for present.' },
    presence,
  ],
  requiredUnlessAbsent: ['content'],
  examples: [
    {
      title: 'A memory limit',
      resources: [
        {
          name: 'nginx limit',
          type: 'systemd_dropin',
          unit: 'nginx.service',
          content: '[Service]\nMemoryMax=500M\n',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const unit = text(parameters, 'unit');
    if (unit === undefined) return [];
    const value = `/etc/systemd/system/${unit}.d/${text(parameters, 'dropin') ?? 'override'}.conf`;
    return [{ kind: 'path', value, effect: isAbsent(parameters) ? 'remove' : 'write' }];
  },
} as const satisfies ResourceSchema;
