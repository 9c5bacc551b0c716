import { isAbsent, presence, type ResourceSchema, text } from './schema.ts';

export const repositorySchema = {
  name: 'repository',
  summary: 'Keeps a source of packages, and the key that it is signed with.',
  notes: [
    'Debian and Ubuntu: a file in /etc/apt/sources.list.d and a key in /etc/apt/keyrings. Fedora and Red Hat: /etc/yum.repos.d, SUSE: /etc/zypp/repos.d, with keys in /etc/pki/rpm-gpg.',
    'Arch: /etc/pacman.d/vigo, taken in by a line in /etc/pacman.conf; a key goes through pacman-key, once. Alpine: /etc/apk/repositories.d, with keys in /etc/apk/keys under their own file name and without a fingerprint.',
    'Lists are not refreshed: set update_cache of the package that comes from it.',
  ],
  category: 'packages',
  platforms: ['linux'],
  parameters: [
    {
      name: 'repository',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$',
      patternMeaning: 'letters, digits, "_", "-" and "."',
      description: 'Name of the source and of its file.',
    },
    presence,
    {
      name: 'repo',
      kind: 'string',
      description:
        'apt: a line "deb URL suite components". apk: a URL, "@tag URL" too. Others: the base URL, or a whole INI section. Required for present.',
      examples: ['deb https://packages.example.com/debian stable main'],
    },
    {
      name: 'key_url',
      kind: 'string',
      pattern: '^(?:https?://[^\\s]+|file:///[^\\s]+|/[^\\s]+)$',
      patternMeaning: 'a URL or an absolute path',
      description: 'Its OpenPGP key; fetched when the key is missing or has another fingerprint.',
    },
    {
      name: 'key_fingerprint',
      kind: 'string',
      pattern: '^(?:[0-9A-Fa-f]\\s*){40}$',
      patternMeaning: '40 hexadecimal digits',
      description: 'The key must have it; else it is refused.',
    },
    {
      name: 'enabled',
      kind: 'boolean',
      default: true,
      description: 'False writes the source but switches it off.',
    },
    {
      name: 'format',
      kind: 'enum',
      values: ['auto', 'list', 'deb822'],
      default: 'auto',
      description: 'Form of the file for apt; auto is deb822 where the system uses it.',
    },
  ],
  requiredUnlessAbsent: ['repo'],
  examples: [
    {
      title: 'A source with its key',
      resources: [
        {
          name: 'vendor source',
          type: 'repository',
          repository: 'vendor',
          repo: 'deb https://packages.example.com/debian stable main',
          key_url: 'https://packages.example.com/key.asc',
          key_fingerprint: '0123456789ABCDEF0123456789ABCDEF01234567',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const name = text(parameters, 'repository');
    if (name === undefined) return [];
    const effect = isAbsent(parameters) ? 'remove' : 'write';
    return [
      `/etc/apt/sources.list.d/${name}.list`,
      `/etc/apt/sources.list.d/${name}.sources`,
      `/etc/yum.repos.d/${name}.repo`,
      `/etc/zypp/repos.d/${name}.repo`,
      `/etc/pacman.d/vigo/${name}.conf`,
      `/etc/apk/repositories.d/${name}.list`,
      `/etc/apt/keyrings/vigo-${name}.asc`,
      `/etc/pki/rpm-gpg/vigo-${name}.asc`,
    ]
      .map((value) => ({ kind: 'path', value, effect }) as const)
      .concat({ kind: 'path', value: '/etc/pacman.conf', effect: 'write' });
  },
} as const satisfies ResourceSchema;
