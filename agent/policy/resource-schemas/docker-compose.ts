import type { ResourceSchema } from './schema.ts';

export const dockerComposeSchema = {
  name: 'docker_compose',
  summary: 'Keeps an application as its Docker Compose file describes it.',
  notes: [
    'Uses `docker compose`, or `docker-compose` where the plugin is not installed. Whether something has to be done is read from the labels that Compose gives its containers; Compose itself is asked only what the file means, when it has changed or five minutes have passed. No registry is asked for that.',
    'When the resource is triggered by `notify` or `subscribes`, Compose brings the application up in any case, after pulling its images with `pull: always`. With `subscribes` it is looked after between triggers too; with `notify` and `when: "changed"`, only then.',
    'A service that has ended is started again. Name those that are meant to end in `one_shot`.',
  ],
  category: 'containers',
  platforms: ['linux'],
  parameters: [
    { name: 'compose_file', kind: 'path', required: true, description: 'The compose file.' },
    {
      name: 'project',
      kind: 'string',
      pattern: '^[a-z0-9][a-z0-9_-]{0,199}$',
      patternMeaning: 'lower-case letters, digits, "_" and "-"',
      description: 'Project name; unset for the name in the file, else that of its directory.',
    },
    {
      name: 'state',
      kind: 'enum',
      values: ['up', 'down'],
      default: 'up',
      valueNotes: { down: 'containers and networks of the project are removed; volumes stay' },
      description: 'What it is to be.',
    },
    {
      name: 'pull',
      kind: 'enum',
      values: ['missing', 'always'],
      default: 'missing',
      valueNotes: { always: 'also when it is first brought up, and whenever it is triggered' },
      description: 'When to ask the registry for images.',
    },
    {
      name: 'build',
      kind: 'boolean',
      default: false,
      description: 'Build images before bringing it up.',
    },
    {
      name: 'remove_orphans',
      kind: 'boolean',
      default: false,
      description: 'Remove containers of services that the file no longer has.',
    },
    {
      name: 'env_file',
      kind: 'path',
      description: 'Variables for the compose file; unset for .env beside it.',
    },
    {
      name: 'one_shot',
      kind: 'list',
      pattern: '^[A-Za-z0-9._-]{1,200}$',
      patternMeaning: 'names of services',
      description: 'Services that do their work and end: having ended with 0 is right for them.',
    },
    {
      name: 'timeout',
      kind: 'string',
      format: 'duration',
      default: '15m',
      description: 'For all of it, pulls included: seconds, or 30s, 45m, 4h.',
    },
  ],
  examples: [
    {
      title: 'An application and its file',
      resources: [
        {
          name: 'App compose file',
          type: 'file',
          target_path: '/opt/myapp/docker-compose.yml',
          content:
            'services:\n  web:\n    image: nginx:latest\n    ports: ["80:80"]\n    restart: unless-stopped\n',
        },
        {
          name: 'App stack',
          type: 'docker_compose',
          compose_file: '/opt/myapp/docker-compose.yml',
          pull: 'always',
          remove_orphans: true,
          subscribes: ['App compose file'],
        },
      ],
    },
  ],
  targets: () => [],
} as const satisfies ResourceSchema;
