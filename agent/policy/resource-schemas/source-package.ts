import { ownership, pathTargets, presence, type ResourceSchema } from './schema.ts';

export const sourcePackageSchema = {
  name: 'source_package',
  summary: 'Keeps what a downloaded archive holds: one program of it, or its whole tree.',
  notes: [
    'Archives are tar.gz, tar.bz2, tar.xz, tar and zip. With `binary_path` one file becomes `target_path`; without it the whole archive becomes the directory `target_path`, as one step.',
    'Nothing is downloaded while the marker tells the declared version: `<target_path>.vigo-version` beside a file, `.vigo-version` within a directory. Without `version` and `sha256`, whatever is there counts as right.',
    'An archive with names or links that lead out of it, with devices, or of more than 1 GiB unpacked is refused. A directory that holds something and has no marker is never replaced or removed.',
  ],
  category: 'packages',
  since: '0.1',
  parameters: [
    {
      name: 'url',
      kind: 'string',
      pattern: '^https?://[^\\s\\u0000-\\u001f\\u007f]+$',
      patternMeaning: 'an http or https URL',
      description: 'The archive; required for present. At most 256 MiB.',
      examples: ['https://releases.example.com/tool-1.2.tar.gz'],
    },
    { name: 'target_path', kind: 'path', required: true, description: 'The file or directory.' },
    presence,
    {
      name: 'binary_path',
      kind: 'string',
      pattern: '^(?!/)(?!.*(?:^|/)\\.\\.(?:/|$))[^\\u0000-\\u001f\\u007f]+$',
      patternMeaning: 'a path within the archive',
      description: 'The one file of the archive to keep.',
      examples: ['tool-1.2/bin/tool'],
    },
    {
      name: 'sha256',
      kind: 'string',
      format: 'sha256',
      description: 'Of the file at target_path; without binary_path, of the archive.',
    },
    {
      name: 'version',
      kind: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~_^-]{0,199}$',
      patternMeaning: 'a version',
      description: 'Kept in the marker; another one means another download.',
    },
    {
      name: 'mode',
      kind: 'mode',
      default: '0755',
      description: 'Permissions of the file, or of the directory itself.',
    },
    ...ownership,
  ],
  requiredUnlessAbsent: ['url'],
  examples: [
    {
      title: 'One program',
      resources: [
        {
          name: 'tool',
          type: 'source_package',
          url: 'https://releases.example.com/tool-1.2.tar.gz',
          binary_path: 'tool-1.2/tool',
          target_path: '/usr/local/bin/tool',
          version: '1.2',
        },
      ],
    },
  ],
  targets: (parameters) => pathTargets(parameters),
} as const satisfies ResourceSchema;
