import { accountTargets, pathTargets, presence, type ResourceSchema } from './schema.ts';

const idLimit = 4_294_967_293;

export const userSchema = {
  name: 'user',
  summary: 'Keeps a local account: its numbers, shell, groups, password and SSH keys.',
  notes: [
    'What is not given is left as it is. `groups` and `authorized_keys` are exact: what is not listed is removed.',
  ],
  category: 'accounts',
  platforms: ['linux'],
  since: '0.1',
  examples: [
    {
      title: 'A person who logs in with a key',
      resources: [
        {
          type: 'user',
          username: 'ada',
          comment: 'Ada Lovelace',
          shell: '/bin/bash',
          groups: ['sudo'],
          authorized_keys: [
            'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE6nC8vZ5V4Lj2hGm0aVv3yqPp0u0r3V0mQ0m1f7oZ0m ada@laptop',
          ],
        },
      ],
    },
    {
      title: 'An account for a service',
      resources: [
        {
          type: 'user',
          username: 'app',
          system: true,
          home: '/srv/app',
          shell: '/usr/sbin/nologin',
        },
      ],
    },
    {
      title: 'Gone, its home too',
      resources: [{ type: 'user', username: 'mallory', state: 'absent', manage_home: true }],
    },
  ],
  parameters: [
    {
      name: 'username',
      kind: 'string',
      required: true,
      format: 'account-name',
      description: 'Login name.',
    },
    presence,
    {
      name: 'uid',
      kind: 'integer',
      minimum: 0,
      maximum: idLimit,
      description: 'Numeric user id.',
    },
    { name: 'shell', kind: 'path', description: 'Login shell.' },
    { name: 'home', kind: 'path', description: 'Home directory.' },
    { name: 'comment', kind: 'string', format: 'one-line', description: 'The GECOS field.' },
    {
      name: 'group',
      kind: 'string',
      format: 'account-or-id',
      description: 'Primary group, by name.',
    },
    {
      name: 'gid',
      kind: 'integer',
      minimum: 0,
      maximum: idLimit,
      description: 'Primary group, by number.',
    },
    {
      name: 'groups',
      kind: 'list',
      format: 'account-name',
      description: 'Supplementary groups, exactly these.',
    },
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
    {
      name: 'password_max_age',
      kind: 'integer',
      minimum: -1,
      maximum: 99_999,
      description: 'Days until it must be changed; -1 is never.',
    },
  ],
  exclusive: [['group', 'gid']],
  targets: (parameters) => [
    ...pathTargets(parameters, 'home'),
    ...accountTargets(parameters, 'username', 'uid'),
  ],
} as const satisfies ResourceSchema;
