import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';

export interface FakeContainer {
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly state: 'running' | 'exited' | 'created' | 'paused';
  readonly exitCode?: number;
  readonly health?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it was created with, as sent. */
  readonly creation?: Readonly<Record<string, unknown>>;
  readonly restart?: { readonly Name: string; readonly MaximumRetryCount: number };
}

/** Everything that the engine holds; kept in a file below the root, so that tests see each change. */
export interface FakeDockerState {
  /** Reference -> id. */
  readonly images: Readonly<Record<string, string>>;
  /** What a registry would give; undefined when none is in reach. */
  readonly registry?: Readonly<Record<string, string>>;
  readonly containers: readonly FakeContainer[];
  readonly networks: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Image ids whose containers end at once, or never get healthy. */
  readonly broken?: Readonly<Record<string, 'ends' | 'unhealthy'>>;
  /** Host ports of others. */
  readonly takenPorts?: readonly string[];
}

export const emptyDocker: FakeDockerState = { images: {}, containers: [], networks: {} };

export function writeDocker(root: string, state: Partial<FakeDockerState>): void {
  mkdirSync(dirname(stateFile(root)), { recursive: true });
  writeFileSync(stateFile(root), JSON.stringify({ ...emptyDocker, ...state }));
}

export function readDocker(root: string): FakeDockerState {
  return JSON.parse(readFileSync(stateFile(root), 'utf8')) as FakeDockerState;
}

function stateFile(root: string): string {
  return `${root}/var/lib/docker/state.json`;
}

/** When the connection breaks: at the nth request, before it did anything or after it did all. */
export interface EngineFault {
  readonly nth: number;
  readonly mode: 'before' | 'after';
}

type Answer = readonly [status: number, body?: unknown];

const servers = new Set<Server>();

export function stopFakeEngines(): void {
  for (const server of servers) server.close();
  servers.clear();
}

/**
 * A Docker engine in so far as the agent uses it: real HTTP on a unix socket, containers that are
 * records in a file. test/lab/docker.lab.test.ts has the real one.
 */
export class FakeDockerEngine {
  readonly #root: string;
  readonly #fault: EngineFault | undefined;
  /** "POST /containers/create" of each request so far, without version and query. */
  readonly requests: string[] = [];
  reached = false;

  constructor(root: string, socket: string, fault?: EngineFault) {
    this.#root = root;
    this.#fault = fault;
    mkdirSync(dirname(socket), { recursive: true });
    const server = createServer((request, response) => this.#serve(request, response));
    servers.add(server.listen(socket).unref());
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? '', 'http://docker');
    const path = url.pathname.replace(/^\/v[\d.]+/, '');
    this.requests.push(`${request.method} ${path}`);
    const { nth, mode } = this.#fault ?? { nth: Number.POSITIVE_INFINITY, mode: 'before' };
    const count = this.requests.length;
    if (count >= nth) {
      this.reached = true;
      if (count === nth && mode === 'after') this.#answer(`${request.method}`, path, url, body);
      request.socket.destroy();
      return;
    }
    const [status, answer] = this.#answer(`${request.method}`, path, url, body);
    response.writeHead(status, { 'api-version': '1.41', 'content-type': 'application/json' });
    response.end(answer === undefined ? '' : JSON.stringify(answer));
  }

  #answer(method: string, path: string, url: URL, body: string): Answer {
    const state = readDocker(this.#root);
    const query = (name: string) => url.searchParams.get(name) ?? '';
    const route = `${method} ${path}`;
    const image = /^\/images\/(.+?)(?:\/json)?$/.exec(path)?.[1] ?? '';
    if (route === 'GET /_ping') return [200];
    if (route === 'POST /images/create')
      return this.#pull(state, `${query('fromImage')}:${query('tag')}`);
    if (path.startsWith('/images/')) return this.#image(state, method, image);
    if (path.startsWith('/networks')) return this.#network(state, path, query('filters'));
    if (route === 'GET /containers/json') return [200, listed(state, query('filters'))];
    if (route === 'POST /containers/create')
      return this.#create(state, query('name'), JSON.parse(body));
    const [, , name = '', act = ''] = path.split('/');
    return this.#container(state, `${method} ${act}`, name, query('name'));
  }

  #pull(state: FakeDockerState, reference: string): Answer {
    if (state.registry === undefined) return [500, { message: 'dial tcp: network is unreachable' }];
    const id = state.registry[reference];
    // As the real one: the status is fine, the report of progress is not.
    if (id === undefined) return [200, { error: `manifest for ${reference} not found` }];
    writeDocker(this.#root, { ...state, images: { ...state.images, [reference]: id } });
    return [200, { status: 'Downloaded newer image' }];
  }

  #image(state: FakeDockerState, method: string, reference: string): Answer {
    const id = state.images[reference];
    if (id === undefined) return [404, { message: 'No such image' }];
    if (method === 'GET') return [200, { Id: id, RepoTags: [reference] }];
    if (state.containers.some((one) => one.imageId === id))
      return [409, { message: 'conflict: container is using its referenced image' }];
    const { [reference]: _gone, ...images } = state.images;
    writeDocker(this.#root, { ...state, images });
    return [200, []];
  }

  #network(state: FakeDockerState, path: string, filters: string): Answer {
    const name = path.split('/')[2];
    if (name !== undefined)
      return name in state.networks ? [200, { Name: name }] : [404, { message: 'no network' }];
    const rows = Object.entries(state.networks).filter(([, labels]) => matches(labels, filters));
    return [200, rows.map(([Name]) => ({ Name }))];
  }

  #create(state: FakeDockerState, name: string, creation: Record<string, unknown>): Answer {
    const image = String(creation.Image);
    const imageId = state.images[image];
    if (imageId === undefined) return [404, { message: `No such image: ${image}` }];
    if (state.containers.some((one) => one.name === name))
      return [409, { message: 'Conflict. The container name is already in use' }];
    const labels = creation.Labels as Record<string, string>;
    const { RestartPolicy: restart } = creation.HostConfig as { RestartPolicy: never };
    const made: FakeContainer = {
      ...{ name, image, imageId, state: 'created', labels, creation, restart },
    };
    writeDocker(this.#root, { ...state, containers: [...state.containers, made] });
    return [201, { Id: name }];
  }

  #container(state: FakeDockerState, act: string, name: string, to: string): Answer {
    const found = state.containers.find((one) => one.name === name);
    if (found === undefined) return [404, { message: `No such container: ${name}` }];
    const others = state.containers.filter((one) => one !== found);
    const change = (next?: Partial<FakeContainer>): Answer => {
      const containers = next === undefined ? others : [...others, { ...found, ...next }];
      writeDocker(this.#root, { ...state, containers });
      return [204];
    };
    switch (act) {
      case 'GET json':
        return [200, inspected(found)];
      case 'POST start': {
        if (found.state === 'running') return [304];
        const ports = JSON.stringify(found.creation?.HostConfig ?? {});
        if (state.takenPorts?.some((port) => ports.includes(`"HostPort":"${port}"`)))
          return [500, { message: 'Bind for 0.0.0.0 failed: port is already allocated' }];
        const fate = state.broken?.[found.imageId];
        if (fate === 'ends') return change({ state: 'exited', exitCode: 7 });
        return change({ state: 'running', ...(fate === undefined ? {} : { health: fate }) });
      }
      case 'POST stop':
        return found.state === 'running' ? change({ state: 'exited', exitCode: 0 }) : [304];
      case 'POST rename':
        return change({ name: to });
      case 'DELETE ':
        return change();
      default:
        return [400, { message: `the fake engine cannot ${act}` }];
    }
  }
}

function inspected(one: FakeContainer): unknown {
  const { name, imageId, state, exitCode = 0, health, labels } = one;
  const RestartPolicy = one.restart ?? { Name: 'no', MaximumRetryCount: 0 };
  return {
    Id: name,
    Image: imageId,
    State: {
      Running: state === 'running' || state === 'paused',
      Paused: state === 'paused',
      ExitCode: exitCode,
      ...(health === undefined ? {} : { Health: { Status: health } }),
    },
    Config: { Labels: labels },
    HostConfig: { RestartPolicy },
  };
}

function listed(state: FakeDockerState, filters: string): unknown {
  return state.containers
    .filter(({ labels }) => matches(labels, filters))
    .map(({ name, state: State, exitCode = 0, labels: Labels }) => {
      const Status = State === 'exited' ? `Exited (${exitCode}) 2 minutes ago` : 'Up 2 minutes';
      return { Names: [`/${name}`], State, Status, Labels };
    });
}

function matches(labels: Readonly<Record<string, string>>, filters: string): boolean {
  const { label = [] } = JSON.parse(filters) as { label?: string[] };
  return label.every((one) => {
    const [name = '', value] = one.split('=');
    return labels[name] === value;
  });
}
