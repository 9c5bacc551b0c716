import { commandTargets, pathTargets, type ResourceSchema } from './schema.ts';

export const execSchema: ResourceSchema = {
  name: 'exec',
  parameters: [
    { name: 'command', kind: 'string', required: true, description: 'Run with sh -c.' },
    { name: 'onlyif', kind: 'string', description: 'Run only if this command exits 0.' },
    { name: 'unless', kind: 'string', description: 'Run only if this command fails.' },
    { name: 'creates', kind: 'path', description: 'Run only if this path does not exist.' },
    { name: 'stdin', kind: 'string', description: 'Text on standard input.' },
    {
      name: 'secret_file',
      kind: 'string',
      description: 'Value put into a 0600 temporary file; {{secret_file}} in command is its path.',
    },
    { name: 'cwd', kind: 'path', description: 'Working directory.' },
    { name: 'user', kind: 'string', description: 'Run as this user.' },
    { name: 'environment', kind: 'list', description: 'KEY=VALUE, a list or comma-separated.' },
    {
      name: 'returns',
      kind: 'list',
      default: '0',
      description: 'Exit codes that mean success, a list or comma-separated.',
    },
    {
      name: 'logoutput',
      kind: 'boolean',
      default: true,
      description: 'False keeps the output out of errors.',
    },
    {
      name: 'background',
      kind: 'boolean',
      default: false,
      description: 'Start it and do not wait; guards still run, nice is 19.',
    },
    { name: 'nice', kind: 'integer', description: '0 to 19; from 15 on disk access is idle too.' },
    {
      name: 'timeout',
      kind: 'string',
      default: '300s',
      description: 'Seconds, or 30s, 45m, 4h.',
    },
  ],
  exclusive: [['stdin', 'secret_file']],
  guards: ['onlyif', 'unless', 'creates'],
  targets: (parameters) => [
    ...commandTargets(parameters, 'command', 'onlyif', 'unless'),
    ...pathTargets(parameters, 'cwd'),
  ],
};
