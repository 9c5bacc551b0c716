import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const blockinfileSchema = {
  name: 'blockinfile',
  summary: 'Keeps a block of lines, between two marker lines, in a text file.',
  notes: [
    'A new block goes to the end of the file. When somebody removed one of the markers, the block is written again; lines that are not declared stay.',
  ],
  category: 'files',
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'The file to edit.' },
    {
      name: 'block_content',
      kind: 'string',
      description: 'The lines of the block; required for present.',
    },
    presence,
    {
      name: 'label',
      kind: 'string',
      default: 'managed',
      format: 'one-line',
      description: 'Name of the block; two blocks in one file need different ones.',
    },
    {
      name: 'marker_begin',
      kind: 'string',
      default: '# BEGIN {label} - managed by vigo',
      format: 'one-line',
      description: 'The line before the block.',
    },
    {
      name: 'marker_end',
      kind: 'string',
      default: '# END {label} - managed by vigo',
      format: 'one-line',
      description: 'The line after the block.',
    },
    {
      name: 'create',
      kind: 'boolean',
      default: false,
      description: 'Create the file when it is missing.',
    },
    { name: 'mode', kind: 'mode', default: '0644', description: 'Permission bits of a new file.' },
  ],
  requiredUnlessAbsent: ['block_content'],
  examples: [
    {
      title: 'Settings of your own in a file that a package owns',
      resources: [
        {
          name: 'sshd policy',
          type: 'blockinfile',
          target_path: '/etc/ssh/sshd_config',
          label: 'policy',
          block_content: 'PermitRootLogin no\nPasswordAuthentication no\n',
        },
      ],
    },
  ],
  targets: (parameters) => pathTargets({ ...parameters, state: 'present' }),
} as const satisfies ResourceSchema;
