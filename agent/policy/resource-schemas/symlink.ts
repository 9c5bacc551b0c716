import { ownership, pathTargets, presence, type ResourceSchema } from './schema.ts';

export const symlinkSchema = {
  name: 'symlink',
  summary: 'Keeps a symbolic or hard link.',
  category: 'files',
  since: '0.1',
  examples: [
    {
      title: 'The release in use',
      vars: { release: '2026-03-01' },
      resources: [
        {
          type: 'symlink',
          target_path: '/srv/app/current',
          to: '/srv/app/releases/{{ .Vars.release }}',
        },
      ],
    },
    {
      title: 'In place of a file that the package brings',
      resources: [
        { type: 'symlink', target_path: '/etc/motd', to: '/run/motd.dynamic', force: true },
      ],
    },
  ],
  parameters: [
    { name: 'target_path', kind: 'path', required: true, description: 'Where the link lives.' },
    { name: 'to', kind: 'string', description: 'What it points to; required for present.' },
    presence,
    {
      name: 'link_type',
      kind: 'enum',
      values: ['soft', 'hard'],
      default: 'soft',
      description: 'A hard link needs its target to exist.',
    },
    {
      name: 'force',
      kind: 'boolean',
      default: false,
      description: 'Replace a file or another link that is in the way.',
    },
    ...ownership,
  ],
  requiredUnlessAbsent: ['to'],
  // A hard link makes its target writable under another name.
  targets: (parameters) => [
    ...pathTargets(parameters),
    ...(parameters.link_type === 'hard' ? pathTargets(parameters, 'to') : []),
  ],
} as const satisfies ResourceSchema;
