import {
  commandTargets,
  list,
  ownership,
  pathTargets,
  presence,
  type ResourceSchema,
} from './schema.ts';

export const fileSchema: ResourceSchema = {
  name: 'file',
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
      description: 'Spaces put before each non-empty line of the content.',
    },
    {
      name: 'backup',
      kind: 'string',
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
};
