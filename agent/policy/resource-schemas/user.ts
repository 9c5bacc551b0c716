import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const userSchema: ResourceSchema = {
  name: 'user',
  parameters: [
    { name: 'username', kind: 'string', required: true, description: 'Login name.' },
    presence,
    { name: 'uid', kind: 'integer', description: 'Numeric user id.' },
    { name: 'shell', kind: 'path', description: 'Login shell.' },
    { name: 'home', kind: 'path', description: 'Home directory.' },
    { name: 'comment', kind: 'string', description: 'The GECOS field.' },
    { name: 'group', kind: 'string', description: 'Primary group, by name.' },
    { name: 'gid', kind: 'integer', description: 'Primary group, by number.' },
    { name: 'groups', kind: 'list', description: 'Supplementary groups, exactly these.' },
    {
      name: 'password',
      kind: 'string',
      description: 'Plain text, hashed on the node (SHA-512 crypt).',
    },
    { name: 'authorized_keys', kind: 'list', description: 'SSH public keys, exactly these.' },
    { name: 'system', kind: 'boolean', default: false, description: 'A system account.' },
    {
      name: 'manage_home',
      kind: 'boolean',
      default: true,
      description: 'Create the home directory, and remove it with the user.',
    },
    { name: 'password_max_age', kind: 'integer', description: 'Days until it must be changed.' },
  ],
  exclusive: [['group', 'gid']],
  targets: (parameters) => pathTargets(parameters, 'home'),
};
