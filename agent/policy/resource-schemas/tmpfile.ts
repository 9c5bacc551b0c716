import {
  isAbsent,
  type Parameters,
  presence,
  type ResourceSchema,
  text,
  treeTargets,
} from './schema.ts';

/** Removes what lies below the path, or gives it other owners and modes; so does an age. */
function reachesBelow(parameters: Parameters): boolean {
  const recursive = /^[DRZTHAeqQ]/.test(text(parameters, 'entry_type') ?? 'd');
  return recursive || !['-', undefined].includes(text(parameters, 'age'));
}

export const tmpfileSchema = {
  name: 'tmpfile',
  summary: 'Keeps an entry of tmpfiles.d: a volatile file or directory that every boot makes.',
  notes: ['absent removes the entry, not what it made.'],
  category: 'files',
  platforms: ['linux'],
  parameters: [
    {
      name: 'name',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,99}$',
      patternMeaning: 'letters, digits, "_", "-", "@" and "."',
      description: 'File name in /etc/tmpfiles.d, without .conf.',
    },
    presence,
    { name: 'path', kind: 'path', description: 'What to make; required for present.' },
    {
      name: 'entry_type',
      kind: 'string',
      default: 'd',
      pattern: '^[fFwdDevqQpLcbCxXrRzZtThHaA][+!=~^-]{0,3}$',
      patternMeaning: 'a type of tmpfiles.d such as d, f, D or L+',
      description: 'Type of the entry, see tmpfiles.d(5).',
    },
    {
      name: 'mode',
      kind: 'string',
      default: '0755',
      pattern: '^(?:-|[0-7]{3,4})$',
      patternMeaning: 'octal digits, or "-"',
      description: 'Permission bits.',
    },
    {
      name: 'user',
      kind: 'string',
      default: '-',
      pattern: '^(?:-|[0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\\$?)$',
      patternMeaning: 'a user, or "-"',
      description: 'Owner.',
    },
    {
      name: 'group',
      kind: 'string',
      default: '-',
      pattern: '^(?:-|[0-9]{1,10}|[A-Za-z_][A-Za-z0-9_.-]{0,31}\\$?)$',
      patternMeaning: 'a group, or "-"',
      description: 'Group.',
    },
    {
      name: 'age',
      kind: 'string',
      default: '-',
      pattern: '^(?:-|0|~?(?:[0-9]+(?:us|ms|s|m|min|h|d|w))+)$',
      patternMeaning: 'an age such as 10d or 1w, or "-"',
      description: 'When to remove what is in it.',
    },
    {
      name: 'argument',
      kind: 'string',
      description: 'Target of a link, content of a file, and the like.',
    },
  ],
  requiredUnlessAbsent: ['path'],
  examples: [
    {
      title: 'A run directory for an application',
      resources: [{ name: 'app', type: 'tmpfile', path: '/run/app', mode: '0750' }],
    },
  ],
  targets: (parameters) => {
    const name = text(parameters, 'name');
    const path = text(parameters, 'path');
    const absent = isAbsent(parameters);
    return [
      ...(name === undefined
        ? []
        : [
            {
              kind: 'path',
              value: `/etc/tmpfiles.d/${name}.conf`,
              effect: absent ? 'remove' : 'write',
            } as const,
          ]),
      ...(path === undefined || absent
        ? []
        : [{ kind: 'path', value: path, effect: 'write' } as const]),
      ...(absent || !reachesBelow(parameters) ? [] : treeTargets(path)),
    ];
  },
} as const satisfies ResourceSchema;
