import { pathTargets, presence, type ResourceSchema, text, treeTargets } from './schema.ts';

export const gitSchema = {
  name: 'git',
  summary: 'Keeps a working copy of a git repository at the head of a branch, or at a tag.',
  notes: [
    'The remote is asked at most every five minutes. While it is out of reach, a working copy that was right counts as right.',
    'Without force, local changes and commits are never lost: the resource fails instead. Hooks of the working copy are not run.',
  ],
  category: 'files',
  parameters: [
    { name: 'path', kind: 'path', required: true, description: 'The working copy.' },
    { ...presence, description: 'absent removes the directory.' },
    {
      name: 'repo',
      kind: 'string',
      pattern:
        '^(?:/|(?:https?|ssh|git|file)://|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:)[^\\s\\u0000-\\u001f\\u007f]+$',
      patternMeaning: 'a URL, user@host:path or an absolute path',
      description: 'The repository; required for present.',
      examples: ['https://git.example.com/site.git'],
    },
    {
      name: 'branch',
      kind: 'string',
      pattern: '^(?!.*(?:\\.\\.|//|@\\{|\\.lock$))[A-Za-z0-9_][A-Za-z0-9_./@+-]{0,199}$',
      patternMeaning: 'the name of a branch or tag',
      description: 'Branch or tag; unset for the default branch.',
    },
    {
      name: 'depth',
      kind: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description: 'Fetch only so many commits.',
    },
    {
      name: 'force',
      kind: 'boolean',
      default: false,
      description: 'Throw local changes and commits away when it is updated.',
    },
  ],
  requiredUnlessAbsent: ['repo'],
  examples: [
    {
      title: 'A site',
      resources: [
        {
          name: 'site',
          type: 'git',
          path: '/srv/site',
          repo: 'https://git.example.com/site.git',
          branch: 'main',
        },
      ],
    },
  ],
  targets: (parameters) => [
    ...pathTargets(parameters, 'path'),
    ...treeTargets(text(parameters, 'path')),
  ],
} as const satisfies ResourceSchema;
