import { AgentError } from '../../errors.ts';
import { connectDocker } from '../../platform/docker/docker-client.ts';
import type { DockerEngine, ListedContainer } from '../../platform/docker/docker-engine.ts';
import { dockerComposeSchema } from '../../policy/resource-schemas/docker-compose.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import type { CompareContext, Drift, ResourceContext, ResourceType } from '../contract.ts';
import { readPath } from '../cross/places.ts';
import { ParameterReader } from '../parameters.ts';
import {
  type ComposeFile,
  forgetServices,
  labels,
  readComposeFile,
  runCompose,
  type Services,
  servicesOf,
} from './compose-project.ts';
import { readTimeout } from './settings.ts';

export interface ComposeSpec {
  readonly file: string;
  readonly project: string | undefined;
  readonly state: 'up' | 'down';
  readonly pull: 'missing' | 'always';
  readonly build: boolean;
  readonly removeOrphans: boolean;
  readonly envFile: string | undefined;
  readonly oneShot: readonly string[];
  readonly timeoutMs: number;
}

export interface ComposeState {
  readonly engine: DockerEngine;
  readonly file: ComposeFile;
  readonly containers: readonly ListedContainer[];
  readonly networks: readonly string[];
  /** For state up; undefined when it cannot be known before the file is written. */
  readonly services: Services | undefined;
}

/** An application that Docker Compose runs. */
export const dockerComposeType: ResourceType<ComposeSpec, ComposeState> = {
  name: 'docker_compose',
  parameters: dockerComposeSchema.parameters,
  confinable: false,
  timeoutMs: 900_000,
  timeoutOf: ({ timeoutMs }) => timeoutMs,
  parse,
  observe,
  compare,
  apply,
  targets: () => [],
};

function parse(values: Readonly<Record<string, PolicyValue>>): ComposeSpec {
  const reader = new ParameterReader(dockerComposeSchema.parameters, values);
  const spec: ComposeSpec = {
    file: readPath(reader, 'compose_file'),
    project: reader.text('project'),
    state: reader.enumeration('state', ['up', 'down']) ?? 'up',
    pull: reader.enumeration('pull', ['missing', 'always']) ?? 'missing',
    build: reader.boolean('build') === true,
    removeOrphans: reader.boolean('remove_orphans') === true,
    envFile: reader.text('env_file') === undefined ? undefined : readPath(reader, 'env_file'),
    oneShot: reader.list('one_shot') ?? [],
    timeoutMs: readTimeout(reader),
  };
  reader.finish();
  return spec;
}

async function observe(spec: ComposeSpec, context: ResourceContext): Promise<ComposeState> {
  const engine = await connectDocker(context.platform, context.signal);
  const file = await readComposeFile(spec, engine, context.platform);
  const [containers, networks] = await Promise.all([
    engine.containersLabelled(labels.project, file.project),
    spec.state === 'down' ? engine.networksLabelled(labels.project, file.project) : [],
  ]);
  const own = containers.filter((one) => one.labels[labels.oneOff]?.toLowerCase() !== 'true');
  if (spec.state === 'down')
    return { engine, file, containers: own, networks, services: undefined };
  if (file.content === undefined) throw new AgentError('AGENT_PATH_MISSING', { detail: spec.file });
  const asExpected = (services: Services) => wrongOf(spec, services, own).length === 0;
  const services = await servicesOf(file, asExpected, context);
  return { engine, file, containers: own, networks, services };
}

function compare(spec: ComposeSpec, state: ComposeState, { triggered }: CompareContext): Drift {
  const { containers, networks, services } = state;
  const { project } = state.file;
  if (spec.state === 'down') {
    const left = [...containers.map(({ name }) => name), ...networks];
    return left.length === 0
      ? { action: 'none', reason: `${project} is down` }
      : {
          action: 'deleted',
          reason: `${project} is not down: ${left.join(', ')}`,
          diff: left.map((name) => `-${name}`).join('\n'),
        };
  }
  const wrong =
    services === undefined ? [`${spec.file} changes`] : wrongOf(spec, services, containers);
  const diff = wrong.map((one) => `~${one}`).join('\n');
  if (containers.length === 0) return { action: 'created', reason: `${project} is not up`, diff };
  if (wrong.length > 0)
    return { action: 'updated', reason: `${project}: ${wrong.join(', ')}`, diff };
  if (triggered) return { action: 'updated', reason: `${project} was triggered` };
  return {
    action: 'none',
    reason: `${project} is up: ${[...(services?.keys() ?? [])].join(', ')}`,
  };
}

/** What Compose would have to do, one phrase each. */
function wrongOf(
  spec: ComposeSpec,
  services: Services,
  containers: readonly ListedContainer[],
): string[] {
  const serviceOf = (one: ListedContainer) => one.labels[labels.service] ?? '';
  const wrong: string[] = [];
  for (const [service, hash] of services) {
    const own = containers.filter((one) => serviceOf(one) === service);
    if (own.length === 0) wrong.push(`${service} has no container`);
    for (const container of own) {
      const ended = container.exitCode === 0 && spec.oneShot.includes(service);
      if (container.labels[labels.configHash] !== hash)
        wrong.push(`${container.name} is not as the file says`);
      else if (container.state !== 'running' && !ended)
        wrong.push(`${container.name} is ${container.state}`);
    }
  }
  if (spec.removeOrphans)
    for (const container of containers)
      if (!services.has(serviceOf(container))) wrong.push(`${container.name} has no service`);
  return wrong;
}

async function apply(
  spec: ComposeSpec,
  state: ComposeState,
  drift: Drift,
  context: ResourceContext,
): Promise<void> {
  const { file } = state;
  const orphans = spec.removeOrphans ? ['--remove-orphans'] : [];
  const run = (...words: readonly string[]) => runCompose(file, words, spec.timeoutMs, context);
  try {
    if (spec.state === 'down') {
      if (file.content === undefined)
        throw new AgentError('AGENT_PATH_MISSING', { detail: spec.file });
      return await run('down', '--remove-orphans');
    }
    const pulls = spec.pull === 'always' && (context.triggered || drift.action === 'created');
    if (pulls) await run('pull', '--quiet');
    // "up" leaves them as they are, and cannot make them anew.
    if (state.containers.some((one) => one.state === 'paused')) await run('unpause');
    await run('up', '--detach', ...(spec.build ? ['--build'] : []), ...orphans);
  } finally {
    // What it means may rest on images, which are others by now.
    forgetServices(file, context.platform);
  }
}
