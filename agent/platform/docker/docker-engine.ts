/** An image of the local store. */
export interface DockerImage {
  /** "sha256:...", of the content. */
  readonly id: string;
  /** "name:tag" of every tag that it has. */
  readonly tags: readonly string[];
}

export interface DockerContainer {
  readonly id: string;
  readonly running: boolean;
  readonly paused: boolean;
  readonly exitCode: number;
  /** Undefined when the container has no health check. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  /** Id of the image that it was made from. */
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** "no", "always", "unless-stopped", "on-failure" or "on-failure:5", as it is in force. */
  readonly restartPolicy: string;
}

/** A row of the engine's list. */
export interface ListedContainer {
  readonly name: string;
  /** "running", "exited", "created", "restarting", "paused", "removing", "dead". */
  readonly state: string;
  /** Of one that has ended; undefined otherwise. */
  readonly exitCode: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a container is made of, in the engine's own terms. */
export interface ContainerDefinition {
  readonly image: string;
  readonly command: readonly string[] | undefined;
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  readonly binds: readonly string[];
  readonly network: string | undefined;
  readonly restart: { readonly name: string; readonly maximumRetries: number };
}

export interface PublishedPort {
  /** Empty for all addresses. */
  readonly address: string;
  /** Empty for one that the engine chooses. */
  readonly hostPort: string;
  readonly containerPort: string;
  readonly protocol: string;
}

/**
 * The Docker engine (or Podman's Docker-compatible service) behind its HTTP API. Every call fails with
 * AGENT_DOCKER_UNAVAILABLE when nobody answers and with AGENT_DOCKER_REFUSED when the engine says no,
 * unless it says otherwise.
 */
export interface DockerEngine {
  /** Real path of the unix socket. */
  readonly socket: string;
  image(reference: string): Promise<DockerImage | undefined>;
  /** The only call that uses the network. Throws AGENT_DOCKER_PULL. */
  pull(reference: string): Promise<void>;
  /** One that is gone is fine. Throws AGENT_DOCKER_IMAGE_IN_USE. */
  removeImage(reference: string): Promise<void>;
  container(name: string): Promise<DockerContainer | undefined>;
  /** Those with the label `name=value`, running or not. */
  containersLabelled(name: string, value: string): Promise<ListedContainer[]>;
  /** Names of the networks with the label `name=value`. */
  networksLabelled(name: string, value: string): Promise<string[]>;
  hasNetwork(name: string): Promise<boolean>;
  /** Makes it, does not start it. */
  create(name: string, definition: ContainerDefinition): Promise<void>;
  /** Throws AGENT_DOCKER_PORT_TAKEN. One that runs is fine. */
  start(name: string): Promise<void>;
  /** With its own signal and grace period. One that is stopped or gone is fine. */
  stop(name: string): Promise<void>;
  /** Even while it runs; volumes stay. One that is gone is fine. */
  remove(name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}
