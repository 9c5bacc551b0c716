import { presence, type ResourceSchema, text } from './schema.ts';

/** What the name of a package file tells: Debian's "name_version_arch.deb", rpm's "name-version-release.arch.rpm". */
export function packageFileName(
  url: string,
): { readonly name: string; readonly version: string } | undefined {
  const file = url
    .split(/[?#]/)[0]!
    .split('/')
    .at(-1)!
    .replace(/%3[aA]/g, ':');
  const match =
    /^([a-z0-9][a-z0-9+.-]*)_([^_]+)_[^_]+\.deb$/.exec(file) ??
    /^([A-Za-z0-9][A-Za-z0-9+._-]*)-([^-]+-[^-]+)\.[^.-]+\.rpm$/.exec(file);
  return match === null ? undefined : { name: match[1]!, version: match[2]! };
}

export const nonrepoPackageSchema = {
  name: 'nonrepo_package',
  summary: 'Keeps a package installed that comes as a file, from a URL or from the node.',
  notes: [
    'Debian packages on systems with apt, rpm packages where dnf, yum or zypper is. What it depends on comes from the repositories of the system.',
    'What is installed is read from the database of packages; the file is only fetched when its version is to change. The version is that of the file name, or the declared one; where neither is known, whatever version is installed counts as right.',
    'The file must be the declared package: its own name is compared before anything is installed.',
  ],
  category: 'packages',
  platforms: ['linux'],
  parameters: [
    {
      name: 'url',
      kind: 'string',
      pattern: '^(?:https?://|file:///|/)[^\\s\\u0000-\\u001f\\u007f]+$',
      patternMeaning: 'an http, https or file URL, or an absolute path',
      description: 'The file; required for present. At most 512 MiB.',
      examples: ['https://releases.example.com/tool_1.2_amd64.deb'],
    },
    {
      name: 'package',
      kind: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9+._-]{0,99}$',
      patternMeaning: 'the name of a package',
      description: 'Name of the package; unset is that of the file name.',
    },
    presence,
    {
      name: 'version',
      kind: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~_^-]{0,199}$',
      patternMeaning: 'a version',
      description: 'Another installed one is replaced; unset is that of the file name.',
    },
    {
      name: 'sha256',
      kind: 'string',
      format: 'sha256',
      description: 'Of the file, compared before it is installed.',
    },
    {
      name: 'lock_version',
      kind: 'boolean',
      default: false,
      description: 'Hold the version, so that an upgrade of the system leaves it.',
    },
    {
      name: 'allow_downgrade',
      kind: 'boolean',
      default: false,
      description: 'An older version may replace a newer one.',
    },
  ],
  requiredUnlessAbsent: ['url'],
  oneOf: [['url', 'package']],
  examples: [
    {
      title: "A vendor's package",
      resources: [
        {
          name: 'agent',
          type: 'nonrepo_package',
          url: 'https://releases.example.com/monitoring_3.1_amd64.deb',
          sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const value =
      text(parameters, 'package') ?? packageFileName(text(parameters, 'url') ?? '')?.name;
    if (value === undefined) return [];
    const effect = text(parameters, 'state') === 'absent' ? 'remove' : 'write';
    return [{ kind: 'package', value, effect }];
  },
} as const satisfies ResourceSchema;
