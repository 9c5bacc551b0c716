import {
  commandTargets,
  list,
  ownership,
  pathTargets,
  presence,
  type ResourceSchema,
} from './schema.ts';

export const fileSchema = {
  name: 'file',
  summary: 'Keeps a whole file: its text, permissions and owners.',
  notes: [
    'The file is written to a temporary name and renamed, so that nobody reads half of it. The old text is kept as a snapshot.',
  ],
  category: 'files',
  since: '0.1',
  examples: [
    {
      title: 'Text in the policy',
      resources: [
        {
          name: 'Message of the day',
          type: 'file',
          target_path: '/etc/motd',
          mode: '0644',
          content: '{{ .Traits.network.hostname }} is managed; changes by hand are undone.\n',
        },
      ],
    },
    {
      title: 'Checked before it takes the place of the old one',
      resources: [
        {
          name: 'Administrators',
          type: 'file',
          target_path: '/etc/sudoers.d/admins',
          owner: 'root',
          group: 'root',
          mode: '0440',
          content: '%admins ALL=(ALL:ALL) ALL\n',
          validate: 'visudo -cf %',
        },
      ],
    },
    {
      title: 'Not there',
      resources: [{ type: 'file', target_path: '/etc/cron.deny', state: 'absent' }],
    },
  ],
  parameters: [
    {
      name: 'target_path',
      kind: 'path',
      required: true,
      description: 'Absolute path of the file.',
    },
    { name: 'content', kind: 'string', description: 'The whole text of the file.' },
    {
      name: 'source',
      kind: 'string',
      description:
        'A template file of the stack (templates/x.tmpl), rendered; or an absolute path on the node, copied as it is.',
    },
    { name: 'mode', kind: 'mode', default: '0644', description: 'Permission bits, octal.' },
    ...ownership,
    presence,
    {
      name: 'secontext',
      kind: 'string',
      description: 'SELinux context, set after writing; nothing happens without SELinux.',
    },
    {
      name: 'baseindent',
      kind: 'integer',
      default: 0,
      minimum: 0,
      maximum: 200,
      description: 'Spaces put before each non-empty line of the content.',
    },
    {
      name: 'backup',
      kind: 'string',
      format: 'file-name',
      description:
        '"true" keeps the old content as <path>.<epoch>.bak; other text is the suffix. Only when the content differs.',
    },
    {
      name: 'validate',
      kind: 'string',
      description: 'Shell command; % is a file with the new content. Non-zero stops the write.',
    },
    {
      name: 'stream_edit',
      kind: 'list',
      pattern: '^/',
      patternMeaning: 'an absolute path',
      description:
        'Programs (absolute paths) that the content runs through before it is compared and written.',
    },
  ],
  exclusive: [['content', 'source']],
  targets: (parameters) => [
    ...pathTargets(parameters),
    ...commandTargets(parameters, 'validate'),
    ...list(parameters, 'stream_edit').map(
      (value) => ({ kind: 'command', value, effect: 'run' }) as const,
    ),
  ],
} as const satisfies ResourceSchema;
