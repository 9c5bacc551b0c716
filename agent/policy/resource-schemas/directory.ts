import { ownership, pathTargets, presence, type ResourceSchema, text } from './schema.ts';

export const directorySchema: ResourceSchema = {
  name: 'directory',
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
};
