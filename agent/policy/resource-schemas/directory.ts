import { ownership, pathTargets, presence, type ResourceSchema, text } from './schema.ts';

export const directorySchema = {
  name: 'directory',
  summary: 'Keeps a directory, its permissions and its owners.',
  category: 'files',
  since: '0.1',
  examples: [
    {
      title: 'A directory for an application',
      resources: [
        { type: 'directory', target_path: '/srv/app/releases', owner: 'root', mode: '0750' },
      ],
    },
    {
      title: 'A list of directories',
      vars: { directories: ['/srv/data/in', '/srv/data/out'] },
      resources: [
        {
          name: 'Data directory {{ .Item }}',
          type: 'directory',
          foreach: 'directories',
          target_path: '{{ .Item }}',
        },
      ],
    },
    {
      title: 'Removed with all that is in it',
      resources: [{ type: 'directory', target_path: '/srv/old-app', state: 'absent' }],
    },
  ],
  parameters: [
    {
      name: 'target_path',
      kind: 'path',
      required: true,
      description: 'Absolute path; parents are created, absent removes the whole tree.',
    },
    { name: 'mode', kind: 'mode', default: '0755', description: 'Permission bits, octal.' },
    ...ownership,
    presence,
    {
      name: 'recurse',
      kind: 'boolean',
      default: false,
      description: 'Apply mode, owner and group to everything below.',
    },
  ],
  // What recurse reaches is a glob to the guardrails.
  targets: (parameters) => [
    ...pathTargets(parameters),
    ...(text(parameters, 'recurse') === 'true'
      ? pathTargets({ below: `${text(parameters, 'target_path')}/**` }, 'below')
      : []),
  ],
} as const satisfies ResourceSchema;
