import { presence, type ResourceSchema } from './schema.ts';

export const dockerImageSchema = {
  name: 'docker_image',
  summary: 'Keeps an image in the local store of the Docker engine.',
  notes: [
    'Whether the image is there is asked of the engine of the node; a registry is asked only to pull it. With `pull: always` that happens when the resource is triggered by `notify` or `subscribes`, never on every pass: a moving tag is followed by a trigger, not by polling a registry from every node.',
    'A login of root (`docker login`) is used for private registries.',
  ],
  category: 'containers',
  platforms: ['linux'],
  parameters: [
    {
      name: 'image',
      kind: 'string',
      required: true,
      format: 'image-reference',
      description: 'Name, with tag or digest if you like.',
      examples: ['nginx:1.25', 'registry.example.com/team/app'],
    },
    {
      name: 'tag',
      kind: 'string',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$',
      patternMeaning: 'letters, digits, "_", "." and "-", at most 128',
      description: 'Tag, when image has none; latest when neither says.',
    },
    { ...presence, description: 'absent removes the name, and the image when it was its last.' },
    {
      name: 'pull',
      kind: 'enum',
      values: ['missing', 'always', 'never'],
      default: 'missing',
      valueNotes: {
        missing: 'when the image is not there',
        always: 'then, and whenever the resource is triggered',
        never: 'not at all: it fails when the image is not there',
      },
      description: 'When to ask the registry.',
    },
    {
      name: 'timeout',
      kind: 'string',
      format: 'duration',
      default: '15m',
      description: 'For the pull: seconds, or 30s, 45m, 4h.',
    },
  ],
  examples: [
    {
      title: 'The image of an application',
      resources: [{ name: 'redis image', type: 'docker_image', image: 'redis', tag: '7.2-alpine' }],
    },
  ],
  targets: () => [],
} as const satisfies ResourceSchema;
