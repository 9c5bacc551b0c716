import type { ResourceSchema } from './schema.ts';

export const rebootSchema = {
  name: 'reboot',
  summary: 'Reboots the node when it is due, or cancels a reboot.',
  notes: [
    'shutdown(8) counts minutes, so the delay is rounded up to them; it is at least one, so that the report of the pass goes out.',
    'A reboot_required_file counts only when it is newer than the last boot.',
  ],
  category: 'system',
  platforms: ['linux'],
  parameters: [
    {
      name: 'state',
      kind: 'enum',
      values: ['present', 'absent'],
      default: 'present',
      description: 'present reboots; absent cancels a reboot that is scheduled.',
    },
    {
      name: 'delay_secs',
      kind: 'integer',
      minimum: 0,
      maximum: 604_800,
      default: 0,
      description: 'Seconds until the reboot, rounded up to minutes.',
    },
    {
      name: 'message',
      kind: 'string',
      default: 'System reboot triggered by Vigo',
      pattern: '^[^-\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]{0,199}$',
      patternMeaning: 'one line that does not begin with "-"',
      description: 'What logged-in users are told.',
    },
    {
      name: 'reboot_required_file',
      kind: 'path',
      description: 'Reboot only when this file exists.',
      examples: ['/var/run/reboot-required'],
    },
  ],
  guards: ['reboot_required_file'],
  examples: [
    {
      title: 'When an upgrade asks for it',
      resources: [
        {
          name: 'reboot',
          type: 'reboot',
          reboot_required_file: '/var/run/reboot-required',
          delay_secs: 300,
        },
      ],
    },
  ],
  targets: () => [],
} as const satisfies ResourceSchema;
