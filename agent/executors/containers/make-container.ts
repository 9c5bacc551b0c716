import { AgentError } from '../../errors.ts';
import type { DockerContainer, DockerEngine } from '../../platform/docker/docker-engine.ts';
import type { ResourceContext } from '../contract.ts';
import type { ContainerSpec } from './container-spec.ts';
import { declarationOf, definitionOf } from './declaration.ts';

/** Time in which a program that cannot run at all has ended. */
const settleMs = 300;
const healthPollMs = 250;
/** Networks that every engine has, and the one of another container. */
const givenNetwork = /^(?:default|bridge|host|none)$/;

/** What a container is called until it takes the place of the old one. */
export function newName(name: string): string {
  return `${name}.vigo-new`;
}

/**
 * Makes the container beside an old one, which goes only when the engine has accepted the new one. It
 * has its name before it is started, so that one that is killed in between leaves one to be started.
 */
export async function makeContainer(
  spec: ContainerSpec,
  engine: DockerEngine,
  context: ResourceContext,
): Promise<void> {
  const { network } = spec;
  if (network !== undefined && !givenNetwork.test(network) && !(await engine.hasNetwork(network)))
    throw new AgentError('AGENT_DOCKER_NETWORK_MISSING', { detail: network });
  const { host } = context.platform;
  const declaration = declarationOf(spec, (length) => host.randomBytes(length));
  await engine.create(newName(spec.name), definitionOf(spec, declaration));
  await engine.stop(spec.name);
  await engine.remove(spec.name);
  await engine.rename(newName(spec.name), spec.name);
  await startContainer(spec, engine, context);
}

/** Starts it and waits until it runs, and is healthy if it can tell. */
export async function startContainer(
  spec: ContainerSpec,
  engine: DockerEngine,
  { platform, signal }: ResourceContext,
): Promise<void> {
  const { clock } = platform;
  await engine.start(spec.name);
  await clock.sleep(settleMs, signal);
  for (;;) {
    const container = await engine.container(spec.name);
    if (container?.running !== true) throw ended(spec.name, container);
    if (!spec.waitHealthy || container.health === undefined) return;
    requireHealth(spec.name, container);
    if (container.health === 'healthy') return;
    // The time limit of the resource ends it, by aborting the next question.
    await clock.sleep(healthPollMs, signal);
  }
}

function ended(name: string, container: DockerContainer | undefined): AgentError {
  const how = container === undefined ? 'is gone' : `ended with exit code ${container.exitCode}`;
  return new AgentError('AGENT_DOCKER_UNHEALTHY', { detail: `${name} ${how}` });
}

/** @throws {AgentError} AGENT_DOCKER_UNHEALTHY */
export function requireHealth(name: string, { health }: DockerContainer): void {
  if (health === 'unhealthy')
    throw new AgentError('AGENT_DOCKER_UNHEALTHY', { detail: `${name} is unhealthy` });
}
