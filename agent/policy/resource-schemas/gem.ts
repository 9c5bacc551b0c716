import { languagePackageParameters } from './language-package.ts';
import { isAbsent, type ResourceSchema, text } from './schema.ts';

export const gemSchema = {
  name: 'gem',
  summary: 'Keeps a Ruby gem installed.',
  notes: [
    'What is installed is read from the names of the specifications; gem itself runs only for a change, and for `latest`. Several versions may stand side by side: a declared version is added to them, absent removes all or the declared one.',
  ],
  category: 'packages',
  parameters: [
    {
      name: 'package',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$',
      patternMeaning: 'the name of a gem',
      description: 'Name of the gem.',
      examples: ['bundler'],
    },
    ...languagePackageParameters,
    {
      name: 'install_dir',
      kind: 'path',
      description: 'Where gems lie; unset is the place of the system.',
    },
    {
      name: 'gem_cmd',
      kind: 'string',
      default: 'gem',
      pattern: '^(?:/[^\\s\\u0000-\\u001f\\u007f]+|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$',
      patternMeaning: 'the name or the absolute path of a program',
      description: 'The gem program. Of an absolute path, the Ruby beside it is looked at.',
    },
  ],
  examples: [
    {
      title: 'Bundler',
      resources: [{ name: 'bundler', type: 'gem', package: 'bundler', version: '2.4.22' }],
    },
  ],
  targets: (parameters) => {
    const value = text(parameters, 'install_dir');
    if (value === undefined || isAbsent(parameters)) return [];
    return [{ kind: 'path', value, effect: 'write' }];
  },
} as const satisfies ResourceSchema;
