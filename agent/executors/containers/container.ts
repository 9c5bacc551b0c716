import { connectDocker } from '../../platform/docker/docker-client.ts';
import type {
  DockerContainer,
  DockerEngine,
  DockerImage,
} from '../../platform/docker/docker-engine.ts';
import { dockerContainerSchema } from '../../policy/resource-schemas/docker-container.ts';
import type {
  CompareContext,
  Drift,
  Foresight,
  ResourceContext,
  ResourceType,
} from '../contract.ts';
import { type ContainerSpec, parseContainer } from './container-spec.ts';
import { changedAspects, declarationLabel } from './declaration.ts';
import { missingImage } from './image.ts';
import { makeContainer, newName, requireHealth, startContainer } from './make-container.ts';

export interface ContainerState {
  readonly engine: DockerEngine;
  readonly container: DockerContainer | undefined;
  /** One under the name that a container has while it is made. */
  readonly halfMade: boolean;
  /** The declared image as it is on the node now. */
  readonly image: DockerImage | undefined;
}

/** A container of the Docker engine. */
export const dockerContainerType: ResourceType<ContainerSpec, ContainerState> = {
  name: 'docker_container',
  parameters: dockerContainerSchema.parameters,
  confinable: false,
  timeoutMs: 900_000,
  timeoutOf: ({ timeoutMs }) => timeoutMs,
  parse: parseContainer,
  observe,
  compare,
  apply,
  foresee,
  targets: ({ volumes }) =>
    volumes
      .filter((volume) => volume.startsWith('/'))
      .map((volume) => ({ kind: 'path', value: volume.split(':')[0]!, effect: 'write' })),
};

async function observe(spec: ContainerSpec, context: ResourceContext): Promise<ContainerState> {
  const engine = await connectDocker(context.platform, context.signal);
  return {
    engine,
    container: await engine.container(spec.name),
    halfMade: (await engine.container(newName(spec.name))) !== undefined,
    image: spec.state === 'running' ? await engine.image(spec.image) : undefined,
  };
}

function compare(spec: ContainerSpec, state: ContainerState, { triggered }: CompareContext): Drift {
  const { container, halfMade } = state;
  const { name } = spec;
  const left = `a container that was not finished is left of ${name}`;
  if (spec.state === 'absent') {
    if (container !== undefined)
      return { action: 'deleted', reason: `${name} exists`, diff: `-container ${name}` };
    return halfMade
      ? { action: 'deleted', reason: left }
      : { action: 'none', reason: 'absent as declared' };
  }
  if (spec.state === 'stopped') {
    if (container?.running === true)
      return { action: 'updated', reason: `${name} runs`, diff: 'running -> stopped' };
    if (halfMade) return { action: 'updated', reason: left };
    const reason = container === undefined ? 'does not exist, so it does not run' : 'is stopped';
    return { action: 'none', reason: `${name} ${reason}` };
  }
  if (container === undefined)
    return { action: 'created', reason: `${name} does not exist`, diff: `+container ${name}` };
  const wrong = wrongOf(spec, state, container);
  if (wrong.length > 0)
    return {
      action: 'updated',
      reason: `${name} is to be made anew: ${wrong.join(', ')}`,
      diff: wrong.map((one) => `~${one}`).join('\n'),
    };
  if (!container.running || container.paused) {
    const found = container.paused ? 'paused' : `stopped (exit code ${container.exitCode})`;
    return { action: 'updated', reason: `${name} is ${found}`, diff: `${found} -> running` };
  }
  if (halfMade) return { action: 'updated', reason: left };
  if (triggered && spec.pull === 'always')
    return { action: 'updated', reason: `the image of ${name} is to be pulled anew: triggered` };
  if (spec.waitHealthy) requireHealth(name, container);
  return { action: 'none', reason: `${name} runs${healthText(container)}` };
}

/** Why the container cannot stay as it is; never a value, which may be a secret. */
function wrongOf(spec: ContainerSpec, state: ContainerState, container: DockerContainer): string[] {
  const label = container.labels[declarationLabel];
  if (label === undefined) return ['it was not made by Vigo'];
  const changed = changedAspects(spec, label).map((aspect) => `${aspect} changed`);
  const { image } = state;
  if (changed.length === 0 && image !== undefined && image.id !== container.imageId)
    changed.push(`${spec.image} has another content now`);
  if (changed.length === 0 && container.restartPolicy !== spec.restart)
    changed.push(`its restart policy is ${container.restartPolicy}`);
  return changed;
}

function healthText({ health }: DockerContainer): string {
  return health === undefined ? '' : ` and is ${health}`;
}

async function apply(
  spec: ContainerSpec,
  state: ContainerState,
  _drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { engine, container } = state;
  if (state.halfMade) await engine.remove(newName(spec.name));
  if (spec.state === 'absent') return engine.remove(spec.name);
  if (spec.state === 'stopped') return engine.stop(spec.name);
  const wrong = container === undefined || wrongOf(spec, state, container).length > 0;
  const pulls = spec.pull === 'always' && (wrong || context.triggered);
  if (pulls || (wrong && state.image === undefined)) {
    if (spec.pull === 'never') throw missingImage(spec.image);
    await engine.pull(spec.image);
  }
  const image = pulls ? await engine.image(spec.image) : state.image;
  const stale = container !== undefined && wrongOf(spec, { ...state, image }, container).length > 0;
  if (container === undefined || stale) await makeContainer(spec, engine, context);
  else if (!container.running || container.paused) {
    if (container.paused) await engine.stop(spec.name);
    await startContainer(spec, engine, context);
  }
}

async function foresee(
  spec: ContainerSpec,
  state: ContainerState,
  drift: Drift,
  { broughtBy }: Foresight,
): Promise<Drift> {
  const needsImage = spec.state === 'running' && state.image === undefined;
  const makes = state.container === undefined || wrongOf(spec, state, state.container).length > 0;
  if (needsImage && makes && spec.pull === 'never' && broughtBy.length === 0)
    throw missingImage(spec.image);
  return drift;
}
