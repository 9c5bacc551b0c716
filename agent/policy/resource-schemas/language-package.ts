import type { ParameterSpec } from './schema.ts';

/** What pip, gem and npm have in common. */
export const languagePackageParameters = [
  {
    name: 'state',
    kind: 'enum',
    values: ['present', 'latest', 'absent'],
    valueNotes: {
      present: 'installed, at the declared version where there is one',
      latest: 'the newest that the index offers; it is asked at most every five minutes',
      absent: 'not installed',
    },
    default: 'present',
    description: 'What is to be.',
  },
  {
    name: 'version',
    kind: 'string',
    pattern: '^[0-9][0-9A-Za-z.!+_-]{0,99}$',
    patternMeaning: 'an exact version such as 2.31.0',
    description: 'Exact version. With absent: only that one is removed.',
    examples: ['2.31.0'],
  },
  {
    name: 'source',
    kind: 'string',
    pattern: '^(?:https?|file)://[^\\s\\u0000-\\u001f\\u007f]+$',
    patternMeaning: 'an http, https or file URL',
    description: 'Index to install from in place of the public one.',
    examples: ['https://packages.example.com/index'],
  },
  {
    name: 'extra_args',
    kind: 'list',
    pattern: '^-[^\\u0000-\\u001f\\u007f]*$',
    patternMeaning: 'an option that begins with "-"; its value joined by "="',
    description: 'Further options for the installation.',
  },
] as const satisfies readonly ParameterSpec[];
