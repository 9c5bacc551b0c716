import { list, type ResourceSchema, treeTargets } from './schema.ts';

export const dockerContainerSchema = {
  name: 'docker_container',
  summary: 'Keeps a container of the Docker engine running, stopped or away.',
  notes: [
    'A container whose declaration has changed, or whose image has another content by now, is made anew: the new one is made beside the old, which goes only when that succeeded. Volumes are never removed.',
    'What a container was declared with is kept in a label as salted hashes, so that values of `environment`, which may be secrets, stand in no label.',
    'With `pull: always` the registry is asked when the container is made and when the resource is triggered by `notify` or `subscribes`, never on every pass.',
  ],
  category: 'containers',
  platforms: ['linux'],
  parameters: [
    {
      name: 'container',
      kind: 'string',
      required: true,
      format: 'container-name',
      description: 'Name of the container.',
    },
    {
      name: 'image',
      kind: 'string',
      format: 'image-reference',
      description: 'Name of the image; required for running.',
      examples: ['nginx:1.25'],
    },
    {
      name: 'state',
      kind: 'enum',
      values: ['running', 'stopped', 'absent'],
      default: 'running',
      valueNotes: { stopped: 'a container that is there is stopped; none is made' },
      description: 'What it is to be.',
    },
    {
      name: 'pull',
      kind: 'enum',
      values: ['missing', 'always', 'never'],
      default: 'missing',
      description: 'When to ask the registry for the image.',
    },
    {
      name: 'command',
      kind: 'string',
      description: 'Words for the entry point of the image, quoted as in a shell; no shell runs.',
      examples: ['redis-server --save ""'],
    },
    {
      name: 'ports',
      kind: 'list',
      pattern:
        '^(?:(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|\\[[0-9A-Fa-f:.]+\\]):)?(?:[0-9]{1,5}:)?[0-9]{1,5}(?:/(?:tcp|udp|sctp))?$',
      patternMeaning: '8080:80, 127.0.0.1:8080:80 or 53:53/udp',
      description: 'Published ports, [address:]port:port of the container.',
      examples: [['8080:80', '127.0.0.1:9121:9121']],
    },
    {
      name: 'network',
      kind: 'string',
      format: 'container-name',
      description: 'A network that exists, or host, none or bridge; unset for bridge.',
    },
    {
      name: 'volumes',
      kind: 'list',
      pattern: '^(?:/[^:]*|[A-Za-z0-9][A-Za-z0-9_.-]*):/[^:]*(?::[A-Za-z,]+)?$',
      patternMeaning: '/path:/path, name:/path or /path:/path:ro',
      description: 'Directories of the node or named volumes, and where they are inside.',
      examples: [['data:/var/lib/redis', '/etc/app:/etc/app:ro']],
    },
    {
      name: 'environment',
      kind: 'map',
      description: 'Variables of the container; values may be secrets.',
    },
    {
      name: 'restart_policy',
      kind: 'string',
      pattern: '^(?:no|always|unless-stopped|on-failure(?::[0-9]{1,5})?)$',
      patternMeaning: 'no, always, unless-stopped, on-failure or on-failure:5',
      default: 'unless-stopped',
      description: 'When the engine starts it again.',
    },
    {
      name: 'wait_healthy',
      kind: 'boolean',
      default: true,
      description: 'After a start, wait until the health check of the image says healthy.',
    },
    {
      name: 'timeout',
      kind: 'string',
      format: 'duration',
      default: '15m',
      description: 'For all of it, the pull included: seconds, or 30s, 45m, 4h.',
    },
  ],
  requires: [{ when: { parameter: 'state', values: ['running'] }, needs: ['image'] }],
  examples: [
    {
      title: 'A cache that only this machine can reach',
      resources: [
        {
          name: 'cache',
          type: 'docker_container',
          container: 'cache',
          image: 'redis:7.2-alpine',
          command: 'redis-server --maxmemory 64mb',
          ports: ['127.0.0.1:6379:6379'],
          volumes: ['cache:/data'],
          environment: { TZ: 'UTC' },
        },
      ],
    },
  ],
  targets: (parameters) =>
    list(parameters, 'volumes')
      .filter((volume) => volume.startsWith('/'))
      .flatMap((volume) => {
        const [path, , access] = volume.split(':');
        // A container may do anything below what it is given, but not where it only reads.
        return access === 'ro' ? [] : treeTargets(path);
      }),
} as const satisfies ResourceSchema;
