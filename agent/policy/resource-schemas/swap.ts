import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const swapSchema = {
  name: 'swap',
  summary: 'Keeps a swap file or device in use, and its line in /etc/fstab.',
  notes: [
    'With a size, the path is a file that is made, and made anew when its size differs. Without one, it is a device or file that is formatted already.',
    'absent removes a swap file, never a device.',
  ],
  category: 'storage',
  platforms: ['linux'],
  parameters: [
    { name: 'path', kind: 'path', required: true, description: 'The swap file or device.' },
    presence,
    {
      name: 'size',
      kind: 'string',
      pattern: '^[0-9]{1,15}[KMGT]?i?B?$',
      patternMeaning: 'a size such as 512M or 2G',
      description: 'Size of a swap file; powers of 1024.',
      examples: ['2G'],
    },
    {
      name: 'priority',
      kind: 'integer',
      minimum: -1,
      maximum: 32_767,
      description: 'The higher one is used first; unset leaves it to the kernel.',
    },
    { name: 'fstab', kind: 'boolean', default: true, description: 'Also use it at boot.' },
  ],
  examples: [
    {
      title: 'A swap file',
      resources: [{ name: 'swap', type: 'swap', path: '/swapfile', size: '2G' }],
    },
  ],
  targets: (parameters) => [
    ...pathTargets(parameters, 'path'),
    { kind: 'path', value: '/etc/fstab', effect: 'write' },
  ],
} as const satisfies ResourceSchema;
