import { languagePackageParameters } from './language-package.ts';
import { type ResourceSchema, text } from './schema.ts';

export const npmSchema = {
  name: 'npm',
  summary: 'Keeps a Node.js package installed, for the whole machine or in one directory.',
  notes: [
    'What is installed is read from its package.json below node_modules; npm itself runs only for a change, and for `latest`.',
    'Without `path` the package is global, below `prefix`; npm is told that prefix, whatever its configuration says.',
  ],
  category: 'packages',
  parameters: [
    {
      name: 'package',
      kind: 'string',
      required: true,
      pattern: '^(?:@[a-z0-9~_][a-z0-9._~-]{0,99}/)?[a-z0-9~_][a-z0-9._~-]{0,99}$',
      patternMeaning: 'the name of a package, with its @scope/',
      description: 'Name of the package.',
      examples: ['pm2', '@angular/cli'],
    },
    ...languagePackageParameters,
    { name: 'path', kind: 'path', description: 'Directory of the project that it is for.' },
    {
      name: 'global',
      kind: 'boolean',
      description: 'For the whole machine; so it is anyway without path.',
    },
    {
      name: 'prefix',
      kind: 'path',
      default: '/usr/local',
      description: 'Where global packages lie: lib/node_modules and bin below it.',
    },
    {
      name: 'npm_cmd',
      kind: 'string',
      default: 'npm',
      pattern: '^(?:/[^\\s\\u0000-\\u001f\\u007f]+|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$',
      patternMeaning: 'the name or the absolute path of a program',
      description: 'The npm program.',
    },
  ],
  exclusive: [['path', 'global']],
  examples: [
    {
      title: 'A process manager for the whole machine',
      resources: [{ name: 'pm2', type: 'npm', package: 'pm2', version: '5.3.0' }],
    },
  ],
  targets: (parameters) => {
    const path = text(parameters, 'path');
    const global = `${text(parameters, 'prefix') ?? '/usr/local'}/lib`;
    return [{ kind: 'path', value: `${path ?? global}/node_modules`, effect: 'write' }];
  },
} as const satisfies ResourceSchema;
