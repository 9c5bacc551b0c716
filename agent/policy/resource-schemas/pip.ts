import { languagePackageParameters } from './language-package.ts';
import { isAbsent, type ResourceSchema, text } from './schema.ts';

export const pipSchema = {
  name: 'pip',
  summary:
    'Keeps a Python package installed by pip, for the whole machine or in a virtual environment.',
  notes: [
    'What is installed is read from the names in site-packages; pip itself runs only for a change, and for `latest`.',
    'A virtual environment that is missing is made with `python3 -m venv`, which needs the package python3-venv on Debian. There, pip changes packages of the whole machine only with `extra_args: ["--break-system-packages"]`.',
  ],
  category: 'packages',
  parameters: [
    {
      name: 'package',
      kind: 'string',
      required: true,
      pattern: '^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?(?:\\[[A-Za-z0-9._,-]{1,100}\\])?$',
      patternMeaning: 'the name of a package, with extras in [ ]',
      description: 'Name of the package.',
      examples: ['requests', 'requests[socks]'],
    },
    ...languagePackageParameters,
    {
      name: 'virtualenv',
      kind: 'path',
      description: 'Virtual environment; unset is the Python of pip_cmd.',
    },
    {
      name: 'pip_cmd',
      kind: 'string',
      default: 'pip3',
      pattern: '^(?:/[^\\s\\u0000-\\u001f\\u007f]+|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$',
      patternMeaning: 'the name or the absolute path of a program',
      description: 'The pip program; in a virtual environment, its name there.',
    },
  ],
  examples: [
    {
      title: 'An application with its own environment',
      resources: [
        {
          name: 'gunicorn',
          type: 'pip',
          package: 'gunicorn',
          version: '21.2.0',
          virtualenv: '/opt/app/venv',
        },
      ],
    },
  ],
  targets: (parameters) => {
    const value = text(parameters, 'virtualenv');
    if (value === undefined || isAbsent(parameters)) return [];
    return [{ kind: 'path', value, effect: 'write' }];
  },
} as const satisfies ResourceSchema;
