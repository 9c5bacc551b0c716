import {
  commandTargets,
  type Parameters,
  pathTargets,
  type ResourceSchema,
  text,
} from './schema.ts';

/** The commands as if each began in its directory, so that relative names are seen for what they are. */
function inDirectory(parameters: Parameters): Parameters {
  const cwd = text(parameters, 'cwd');
  if (cwd === undefined) return parameters;
  const change = `cd '${cwd.replaceAll("'", "'\\''")}' && `;
  const names = ['command', 'onlyif', 'unless'];
  const commands = names.flatMap((name) => {
    const command = text(parameters, name);
    return command === undefined ? [] : [[name, change + command] as const];
  });
  return { ...parameters, ...Object.fromEntries(commands) };
}

export const execSchema = {
  name: 'exec',
  summary: 'Runs a command, but only when a guard or a trigger says that it is needed.',
  notes: [
    'A command without a guard would run on every pass, so publish asks for `onlyif`, `unless`, `creates`, `when` or `subscribes`. Prefer a type that describes a state (file, package, service, ...): its dry run can say what would change.',
    'A guard runs in a dry run too, so it must not change anything.',
  ],
  category: 'commands',
  since: '0.1',
  examples: [
    {
      title: 'Once, by the file that it makes',
      resources: [
        {
          name: 'Make a key',
          type: 'exec',
          command: 'head -c 32 /dev/urandom | base64 > /etc/app.key && chmod 600 /etc/app.key',
          creates: '/etc/app.key',
        },
      ],
    },
    {
      title: 'After something else has changed',
      resources: [
        {
          name: 'Aliases',
          type: 'file',
          target_path: '/etc/aliases',
          content: 'root: ops@example.com\n',
          notify: 'Rebuild aliases',
        },
        { name: 'Rebuild aliases', type: 'exec', command: 'newaliases', when: 'changed' },
      ],
    },
  ],
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
    {
      name: 'user',
      kind: 'string',
      format: 'account-or-id',
      description: 'Run as this user.',
    },
    {
      name: 'environment',
      kind: 'list',
      format: 'environment',
      description: 'KEY=VALUE, a list or comma-separated.',
    },
    {
      name: 'returns',
      kind: 'list',
      default: '0',
      pattern: '^(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$',
      patternMeaning: 'an exit code from 0 to 255',
      examples: ['0', '0,3'],
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
    {
      name: 'nice',
      kind: 'integer',
      minimum: 0,
      maximum: 19,
      description: '0 to 19; from 15 on disk access is idle too.',
    },
    {
      name: 'timeout',
      kind: 'string',
      format: 'duration',
      default: '300s',
      description: 'Seconds, or 30s, 45m, 4h.',
    },
  ],
  exclusive: [['stdin', 'secret_file']],
  guards: ['onlyif', 'unless', 'creates'],
  targets: (parameters) => [
    ...commandTargets(inDirectory(parameters), 'command', 'onlyif', 'unless'),
    ...pathTargets(parameters, 'cwd'),
  ],
} as const satisfies ResourceSchema;
