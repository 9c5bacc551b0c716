import { isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const sysctlSchema = {
  name: 'sysctl',
  summary: 'Keeps a kernel setting, now and after the next boot.',
  notes: [
    'absent removes the file that sets it at boot; the running value stays, since nobody knows what it was.',
  ],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'key',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_-]+(?:[./](?!\\.)[A-Za-z0-9_:@*-]+)+$',
      patternMeaning: 'names separated by dots, such as net.ipv4.ip_forward',
      description: 'Name of the setting; a dot within a name is written as a slash.',
      examples: ['net.ipv4.ip_forward', 'net.ipv4.conf.eth0/100.forwarding'],
    },
    {
      name: 'value',
      kind: 'string',
      format: 'one-line',
      description: 'Its value; required for present.',
    },
    presence,
    {
      name: 'persist',
      kind: 'boolean',
      default: true,
      description: 'Also write /etc/sysctl.d/99-vigo-<key>.conf, which is read at boot.',
    },
  ],
  requiredUnlessAbsent: ['value'],
  examples: [
    {
      title: 'A router',
      resources: [{ name: 'forwarding', type: 'sysctl', key: 'net.ipv4.ip_forward', value: '1' }],
    },
  ],
  targets: (parameters) => {
    const key = text(parameters, 'key');
    if (key === undefined) return [];
    const value = `/etc/sysctl.d/99-vigo-${key.replaceAll('/', '-')}.conf`;
    return [{ kind: 'path', value, effect: isAbsent(parameters) ? 'remove' : 'write' }];
  },
} as const satisfies ResourceSchema;
