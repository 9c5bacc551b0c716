import { isAbsent, type ResourceSchema, text, treeTargets } from './schema.ts';

export const mountSchema = {
  name: 'mount',
  summary: 'Keeps a file system mounted, and its line in /etc/fstab.',
  notes: [
    'mounted makes the directory when it is missing. Of a mount, the device, the type and the flags ro, nosuid, nodev, noexec, noatime, nodiratime and sync (and their opposites) are compared; of the line in /etc/fstab everything.',
  ],
  category: 'storage',
  platforms: ['linux'],
  parameters: [
    { name: 'path', kind: 'path', required: true, description: 'Where it is mounted.' },
    {
      name: 'state',
      kind: 'enum',
      values: ['mounted', 'present', 'unmounted', 'absent'],
      valueNotes: {
        mounted: 'mounted now and at boot',
        present: 'only in /etc/fstab',
        unmounted: 'not mounted now; /etc/fstab is left alone',
        absent: 'not mounted and not in /etc/fstab',
      },
      default: 'mounted',
      description: 'What is to be.',
    },
    {
      name: 'device',
      kind: 'string',
      pattern: '^[^\\s\\u0000-\\u001f\\u007f#-][^\\n\\r\\u0000]*$',
      patternMeaning: 'a device, UUID=, LABEL=, host:/path or a name',
      description: 'What is mounted; required for mounted and present.',
    },
    {
      name: 'fstype',
      kind: 'string',
      pattern: '^[A-Za-z0-9_.,-]{1,64}$',
      patternMeaning: 'a file system type such as ext4, nfs or tmpfs',
      description: 'File system type, "none" for a bind mount; required with device.',
    },
    {
      name: 'options',
      kind: 'string',
      default: 'defaults',
      pattern: '^[^\\s\\u0000-\\u001f\\u007f-][^\\s\\u0000-\\u001f\\u007f]*$',
      patternMeaning: 'options without spaces',
      description: 'Mount options separated by commas.',
    },
    {
      name: 'dump',
      kind: 'integer',
      minimum: 0,
      maximum: 1,
      default: 0,
      description: 'For dump(8).',
    },
    {
      name: 'pass',
      kind: 'integer',
      minimum: 0,
      maximum: 2,
      default: 0,
      description: 'Order of the check at boot; 0 is none.',
    },
  ],
  requires: [
    {
      when: { parameter: 'state', values: ['mounted', 'present'] },
      needs: ['device', 'fstype'],
    },
  ],
  examples: [
    {
      title: 'A volatile directory',
      resources: [
        {
          name: 'scratch',
          type: 'mount',
          path: '/srv/scratch',
          device: 'tmpfs',
          fstype: 'tmpfs',
          options: 'size=64m,noexec',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const value = text(parameters, 'path');
    const write = { kind: 'path', value: '/etc/fstab', effect: 'write' } as const;
    if (value === undefined) return [write];
    const state = text(parameters, 'state');
    const effect = state === 'present' ? 'write' : 'remove';
    const device = text(parameters, 'device');
    const options = (text(parameters, 'options') ?? '').split(',');
    const bound = options.some((option) => option === 'bind' || option === 'rbind');
    const reachable = bound && !options.includes('ro') && !isAbsent(parameters);
    return [
      { kind: 'path', value, effect, placeOnly: true },
      write,
      // Under a second name, what belongs to Vigo would be out of the guardrails' sight.
      ...(reachable ? treeTargets(device) : []),
    ];
  },
} as const satisfies ResourceSchema;
