import { accountTargets, presence, type ResourceSchema } from './schema.ts';

export const groupSchema = {
  name: 'group',
  summary: 'Keeps a local group and, when asked to, exactly its members.',
  category: 'accounts',
  platforms: ['linux'],
  since: '0.1',
  examples: [
    {
      title: 'A group with a fixed number',
      resources: [{ type: 'group', group: 'deploy', gid: 2001 }],
    },
    {
      title: 'Who may administer the machine, and nobody else',
      resources: [
        { type: 'user', name: 'Account ada', username: 'ada' },
        { type: 'group', group: 'sudo', members: ['ada'], depends_on: 'Account ada' },
      ],
    },
  ],
  parameters: [
    {
      name: 'group',
      kind: 'string',
      required: true,
      format: 'account-name',
      description: 'Group name.',
    },
    presence,
    {
      name: 'gid',
      kind: 'integer',
      minimum: 0,
      maximum: 4_294_967_293,
      description: 'Numeric group id.',
    },
    { name: 'system', kind: 'boolean', default: false, description: 'A system group.' },
    {
      name: 'members',
      kind: 'list',
      format: 'account-name',
      description: 'User names, exactly these.',
    },
  ],
  targets: (parameters) => accountTargets(parameters, 'group', 'gid'),
} as const satisfies ResourceSchema;
