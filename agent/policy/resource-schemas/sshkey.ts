import { pathTargets, presence, type ResourceSchema } from './schema.ts';

export const sshkeySchema = {
  name: 'sshkey',
  summary: 'Keeps the public key of a host in a known_hosts file.',
  notes: ['Lines with hashed names, certificate authorities and revoked keys are left alone.'],
  category: 'network',
  parameters: [
    {
      name: 'hostname',
      kind: 'string',
      required: true,
      description: 'Name or address of the host; [name]:port for another port.',
    },
    presence,
    {
      name: 'sshkey_type',
      kind: 'string',
      pattern: '^[a-z0-9@.-]{1,64}$',
      patternMeaning: 'a key type such as ssh-ed25519',
      description: 'Type of the key; required for present. absent without it removes all types.',
      examples: ['ssh-ed25519', 'ecdsa-sha2-nistp256'],
    },
    {
      name: 'sshkey',
      kind: 'string',
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      patternMeaning: 'base64',
      description: 'The key in base64; required for present.',
    },
    {
      name: 'aliases',
      kind: 'list',
      description: 'Further names, exactly these; unset leaves them.',
    },
    {
      name: 'file',
      kind: 'path',
      default: '/etc/ssh/ssh_known_hosts',
      description: 'The file; created with mode 0644 when it is missing.',
    },
  ],
  requiredUnlessAbsent: ['sshkey_type', 'sshkey'],
  examples: [
    {
      title: 'The key of a git server',
      resources: [
        {
          name: 'git server',
          type: 'sshkey',
          hostname: 'git.example.com',
          sshkey_type: 'ssh-ed25519',
          sshkey: 'AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f',
        },
      ],
    },
  ],
  targets: (parameters) =>
    pathTargets({ file: '/etc/ssh/ssh_known_hosts', ...parameters, state: 'present' }, 'file'),
} as const satisfies ResourceSchema;
