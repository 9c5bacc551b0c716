import { isAbsent, list, type ResourceSchema } from './schema.ts';

export const packageSchema: ResourceSchema = {
  name: 'package',
  parameters: [
    {
      name: 'package',
      kind: 'list',
      required: true,
      description: 'Name, list or comma-separated names; "*" with latest upgrades all.',
    },
    {
      name: 'state',
      kind: 'enum',
      values: ['present', 'latest', 'absent'],
      default: 'present',
      description: 'Installed, installed in the newest version, or not installed.',
    },
    { name: 'version', kind: 'string', description: 'Exact version.' },
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
    { name: 'flags', kind: 'list', description: 'Extra flags for the package manager.' },
    { name: 'timeout', kind: 'string', default: '300s', description: 'Seconds, or 30s, 45m, 4h.' },
  ],
  targets: (parameters) =>
    list(parameters, 'package').map((value) => ({
      kind: 'package',
      value,
      effect: isAbsent(parameters) ? 'remove' : 'write',
    })),
};
