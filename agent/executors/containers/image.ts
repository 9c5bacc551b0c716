import { AgentError } from '../../errors.ts';
import { connectDocker } from '../../platform/docker/docker-client.ts';
import type { DockerEngine, DockerImage } from '../../platform/docker/docker-engine.ts';
import { fullImageName } from '../../platform/docker/image-name.ts';
import { dockerImageSchema } from '../../policy/resource-schemas/docker-image.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { CompareContext, Drift, ResourceContext, ResourceType } from '../contract.ts';
import { ParameterReader } from '../parameters.ts';
import { readTimeout } from './settings.ts';

export interface ImageSpec {
  /** With tag or digest. */
  readonly image: string;
  readonly absent: boolean;
  readonly pull: 'missing' | 'always' | 'never';
  readonly timeoutMs: number;
}

export interface ImageState {
  readonly engine: DockerEngine;
  readonly image: DockerImage | undefined;
}

/** An image of the engine's local store. */
export const dockerImageType: ResourceType<ImageSpec, ImageState> = {
  name: 'docker_image',
  parameters: dockerImageSchema.parameters,
  confinable: false,
  timeoutMs: 900_000,
  timeoutOf: ({ timeoutMs }) => timeoutMs,
  parse,
  observe: async ({ image }, { platform, signal }) => {
    const engine = await connectDocker(platform, signal);
    return { engine, image: await engine.image(image) };
  },
  compare,
  apply,
  targets: () => [],
};

function parse(values: Readonly<Record<string, PolicyValue>>): ImageSpec {
  const reader = new ParameterReader(dockerImageSchema.parameters, values);
  const name = reader.text('image') ?? '';
  const tag = reader.text('tag');
  if (tag !== undefined && /[:@][^/]*$/.test(name))
    reader.problem('tag', 'must not be given when image has a tag or digest');
  const spec: ImageSpec = {
    image: fullImageName(tag === undefined ? name : `${name}:${tag}`),
    absent: reader.absent(),
    pull: reader.enumeration('pull', ['missing', 'always', 'never']) ?? 'missing',
    timeoutMs: readTimeout(reader),
  };
  reader.finish();
  return spec;
}

function compare(spec: ImageSpec, { image }: ImageState, { triggered }: CompareContext): Drift {
  if (spec.absent)
    return image === undefined
      ? { action: 'none', reason: 'absent as declared' }
      : { action: 'deleted', reason: `${spec.image} is there`, diff: `-${image.id}` };
  if (image === undefined && spec.pull === 'never') throw missingImage(spec.image);
  if (image === undefined)
    return {
      action: 'created',
      reason: `${spec.image} is not on the node`,
      diff: `+${spec.image}`,
    };
  if (triggered && spec.pull === 'always')
    return { action: 'updated', reason: `${spec.image} is to be pulled anew: it was triggered` };
  return { action: 'none', reason: `${spec.image} is ${image.id.slice(0, 19)}` };
}

async function apply(
  spec: ImageSpec,
  state: ImageState,
  _drift: Drift,
  _context: ResourceContext,
): Promise<void> {
  if (spec.absent) await state.engine.removeImage(spec.image);
  else await state.engine.pull(spec.image);
}

export function missingImage(image: string): AgentError {
  return new AgentError('AGENT_DOCKER_IMAGE_MISSING', { detail: image });
}
