import { AgentError, type AgentErrorCode } from '../../errors.ts';
import type { Platform } from '../platform.ts';
import type {
  ContainerDefinition,
  DockerContainer,
  DockerEngine,
  DockerImage,
  ListedContainer,
} from './docker-engine.ts';
import {
  complaintOf,
  containerOf,
  containersOf,
  imageOf,
  networksOf,
  refusal,
} from './engine-answers.ts';
import { askEngine, type EngineAnswer, type EngineRequest } from './engine-socket.ts';
import { fullImageName, parseImageName } from './image-name.ts';
import { registryLogin } from './registry-login.ts';

const socketPath = '/var/run/docker.sock';
const notModified = 304;
const firstError = 400;
const notFound = 404;
const conflict = 409;

/** The engine of this machine; nothing is asked yet. */
export async function connectDocker(
  platform: Platform,
  signal: AbortSignal,
): Promise<DockerEngine> {
  const socket = await platform.paths.resolve(socketPath, { followLast: true });
  return new DockerClient(socket, platform, signal);
}

class DockerClient implements DockerEngine {
  readonly socket: string;
  readonly #platform: Platform;
  readonly #signal: AbortSignal;
  #version: string | undefined;

  constructor(socket: string, platform: Platform, signal: AbortSignal) {
    this.socket = socket;
    this.#platform = platform;
    this.#signal = signal;
  }

  async image(reference: string): Promise<DockerImage | undefined> {
    const name = fullImageName(reference);
    const answer = await this.#ask({ method: 'GET', path: `/images/${name}/json` });
    if (answer.status === notFound) return undefined;
    return imageOf(this.#accepted(answer, `image ${name}`));
  }

  async pull(reference: string): Promise<void> {
    const { repository, tag, digest } = parseImageName(reference);
    const query = new URLSearchParams({ fromImage: repository, tag: digest ?? tag ?? 'latest' });
    const login = await registryLogin(reference, this.#platform);
    const answer = await this.#ask({
      method: 'POST',
      path: `/images/create?${query}`,
      onlyEnd: true,
      ...(login === undefined ? {} : { headers: { 'x-registry-auth': login } }),
    });
    const failed = answer.status >= firstError || complaintOf(answer) !== undefined;
    if (failed) throw refusal(answer, 'AGENT_DOCKER_PULL', reference);
  }

  async removeImage(reference: string): Promise<void> {
    const name = fullImageName(reference);
    const answer = await this.#ask({ method: 'DELETE', path: `/images/${name}` });
    if (answer.status === notFound) return;
    if (answer.status === conflict) throw refusal(answer, 'AGENT_DOCKER_IMAGE_IN_USE', name);
    this.#accepted(answer, `removing ${name}`);
  }

  async container(name: string): Promise<DockerContainer | undefined> {
    const answer = await this.#ask({ method: 'GET', path: `/containers/${name}/json` });
    if (answer.status === notFound) return undefined;
    return containerOf(this.#accepted(answer, `container ${name}`));
  }

  async containersLabelled(name: string, value: string): Promise<ListedContainer[]> {
    const query = new URLSearchParams({ all: '1', filters: labelFilter(name, value) });
    const answer = await this.#ask({ method: 'GET', path: `/containers/json?${query}` });
    return containersOf(this.#accepted(answer, 'list of containers'));
  }

  async networksLabelled(name: string, value: string): Promise<string[]> {
    const query = new URLSearchParams({ filters: labelFilter(name, value) });
    const answer = await this.#ask({ method: 'GET', path: `/networks?${query}` });
    return networksOf(this.#accepted(answer, 'list of networks'));
  }

  async hasNetwork(name: string): Promise<boolean> {
    const answer = await this.#ask({ method: 'GET', path: `/networks/${name}` });
    if (answer.status === notFound) return false;
    this.#accepted(answer, `network ${name}`);
    return true;
  }

  async create(name: string, definition: ContainerDefinition): Promise<void> {
    const path = `/containers/create?${new URLSearchParams({ name })}`;
    const answer = await this.#ask({ method: 'POST', path, body: creation(definition) });
    this.#accepted(answer, `creating ${name}`);
  }

  async start(name: string): Promise<void> {
    await this.#act(name, 'start');
  }

  async stop(name: string): Promise<void> {
    const answer = await this.#ask({ method: 'POST', path: `/containers/${name}/stop` });
    if (answer.status !== notFound && answer.status !== notModified)
      this.#accepted(answer, `stopping ${name}`);
  }

  async remove(name: string): Promise<void> {
    const answer = await this.#ask({ method: 'DELETE', path: `/containers/${name}?force=1` });
    if (answer.status !== notFound) this.#accepted(answer, `removing ${name}`);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#act(from, `rename?${new URLSearchParams({ name: to })}`);
  }

  async #act(name: string, act: string): Promise<void> {
    const answer = await this.#ask({ method: 'POST', path: `/containers/${name}/${act}` });
    if (answer.status !== notModified) this.#accepted(answer, `${act.split('?')[0]} of ${name}`);
  }

  #accepted(
    answer: EngineAnswer,
    what: string,
    code: AgentErrorCode = 'AGENT_DOCKER_REFUSED',
  ): EngineAnswer {
    if (answer.status >= firstError) throw refusal(answer, code, what);
    return answer;
  }

  async #ask(wanted: Omit<EngineRequest, 'signal'>): Promise<EngineAnswer> {
    this.#version ??= await this.#ping();
    const path = `${this.#version}${wanted.path}`;
    return askEngine(this.socket, { ...wanted, path, signal: this.#signal });
  }

  /** Engines refuse versions of the API that are too old or too new, so it is their own. */
  async #ping(): Promise<string> {
    const ping = { method: 'GET', path: '/_ping', signal: this.#signal } as const;
    const { status, headers } = await askEngine(this.socket, ping);
    if (status >= firstError)
      throw new AgentError('AGENT_DOCKER_UNAVAILABLE', { detail: `status ${status}` });
    const version = headers['api-version'];
    return typeof version === 'string' && /^\d+\.\d+$/.test(version) ? `/v${version}` : '';
  }
}

function labelFilter(name: string, value: string): string {
  return JSON.stringify({ label: [`${name}=${value}`] });
}

function creation(definition: ContainerDefinition): unknown {
  const { image, command, environment, labels, ports, binds, network, restart } = definition;
  const exposed: Record<string, object> = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { address, hostPort, containerPort, protocol } of ports) {
    const key = `${containerPort}/${protocol}`;
    exposed[key] = {};
    bindings[key] = [...(bindings[key] ?? []), { HostIp: address, HostPort: hostPort }];
  }
  return {
    Image: fullImageName(image),
    ...(command === undefined ? {} : { Cmd: command }),
    Env: environment,
    Labels: labels,
    ExposedPorts: exposed,
    HostConfig: {
      Binds: binds,
      PortBindings: bindings,
      ...(network === undefined ? {} : { NetworkMode: network }),
      RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetries },
    },
  };
}
