import { presence, type ResourceSchema } from './schema.ts';

export const groupSchema: ResourceSchema = {
  name: 'group',
  parameters: [
    { name: 'group', kind: 'string', required: true, description: 'Group name.' },
    presence,
    { name: 'gid', kind: 'integer', description: 'Numeric group id.' },
    { name: 'system', kind: 'boolean', default: false, description: 'A system group.' },
    { name: 'members', kind: 'list', description: 'User names, exactly these.' },
  ],
  targets: () => [],
};
