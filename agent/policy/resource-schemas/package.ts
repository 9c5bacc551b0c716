import { isAbsent, list, type ResourceSchema } from './schema.ts';

export const packageSchema = {
  name: 'package',
  summary: 'Keeps packages installed, newest or removed, by the package manager of the machine.',
  notes: [
    'Several names in one resource are one call of the package manager. The package lists are refreshed only with `update_cache`, and only when something is to be installed.',
    'The back-ends are apt, dnf, yum, zypper, pacman and apk; where several are installed, `/etc/os-release` decides. A version may leave out epoch and release, except with apt: `1.22.1` is any `1.22.1-9`.',
    'Versions are held by apt-mark, the versionlock plugin of dnf, locks of zypper, `IgnorePkg` in `/etc/pacman.conf`, and for apk in `/etc/apk/world`. pacman offers one version of a package only; others are taken from `/var/cache/pacman/pkg`. rpm keeps edited configuration as `.rpmsave`, so there `purge` changes nothing.',
  ],
  category: 'packages',
  since: '0.1',
  examples: [
    {
      title: 'Several at once',
      resources: [{ name: 'Tools', type: 'package', package: ['curl', 'jq', 'htop'] }],
    },
    {
      title: 'One version, held',
      resources: [{ type: 'package', package: 'nginx', version: '1.22.1-9', lock_version: true }],
    },
    {
      title: 'Removed with its configuration',
      resources: [{ type: 'package', package: 'telnetd', state: 'absent', purge: true }],
    },
  ],
  parameters: [
    {
      name: 'package',
      kind: 'list',
      required: true,
      pattern: '^(?:\\*|[A-Za-z0-9][A-Za-z0-9+._@/-]{0,199}(?::[a-z0-9-]{1,20})?)$',
      patternMeaning: 'the name of a package, or "*"',
      description: 'Name, list or comma-separated names; "*" with latest upgrades all.',
    },
    {
      name: 'state',
      kind: 'enum',
      values: ['present', 'latest', 'absent'],
      default: 'present',
      description: 'Installed, installed in the newest version, or not installed.',
    },
    {
      name: 'version',
      kind: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~_^-]{0,199}$',
      patternMeaning: 'a version',
      description: 'Exact version.',
    },
    {
      name: 'allow_downgrade',
      kind: 'boolean',
      default: false,
      description: 'Let version be older than what is installed.',
    },
    {
      name: 'purge',
      kind: 'boolean',
      default: false,
      description: 'Remove configuration files too when absent.',
    },
    {
      name: 'update_cache',
      kind: 'boolean',
      default: false,
      description: 'Refresh the package lists before installing.',
    },
    {
      name: 'lock_version',
      kind: 'boolean',
      default: false,
      description: 'Hold the package at version; needs version.',
    },
    {
      name: 'post_cleanup',
      kind: 'boolean',
      default: false,
      description: 'Remove packages that nothing needs afterwards; its failure is no failure.',
    },
    {
      name: 'flags',
      kind: 'list',
      pattern: '^-',
      patternMeaning: 'an option that begins with "-"',
      description: 'Extra flags for the package manager.',
    },
    {
      name: 'timeout',
      kind: 'string',
      format: 'duration',
      default: '300s',
      description: 'Seconds, or 30s, 45m, 4h.',
    },
  ],
  targets: (parameters) =>
    list(parameters, 'package').map((value) => ({
      kind: 'package',
      value,
      effect: isAbsent(parameters) ? 'remove' : 'write',
    })),
} as const satisfies ResourceSchema;
