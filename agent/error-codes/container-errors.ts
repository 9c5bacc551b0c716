import type { AgentErrorEntry } from './entry.ts';

/** What the types of containers refuse and fail with; part of the registry of agent/errors.ts. */
export const containerErrors = {
  AGENT_DOCKER_UNAVAILABLE: {
    message: 'The Docker engine does not answer',
    remedy: 'Let the resource depend on the package and the service of the engine; start it.',
    outcome: 'blocked',
  },
  AGENT_DOCKER_PULL: {
    message: 'The image could not be pulled',
    remedy: 'Check its name, the registry, the network and the login in /root/.docker/config.json.',
    outcome: 'blocked',
  },
  AGENT_DOCKER_IMAGE_MISSING: {
    message: 'The image is not on the node and may not be pulled',
    remedy: 'Declare a docker_image and depend on it, or set pull to missing.',
  },
  AGENT_DOCKER_IMAGE_IN_USE: {
    message: 'The image is in use and cannot be removed now',
    remedy: 'Remove the containers that use it first; the next pass tries again.',
    outcome: 'blocked',
  },
  AGENT_DOCKER_NETWORK_MISSING: {
    message: 'There is no such network',
    remedy: 'Correct network, or declare first what creates it; the old container still runs.',
  },
  AGENT_DOCKER_PORT_TAKEN: {
    message: 'A port that the container publishes is taken on the node',
    remedy: 'Find out who listens there (ss -ltnp), or publish another port.',
    outcome: 'blocked',
  },
  AGENT_DOCKER_UNHEALTHY: {
    message: 'The container does not run as it should',
    remedy: 'Read docker logs and docker inspect of the container on the node.',
  },
  AGENT_DOCKER_REFUSED: {
    message: 'The Docker engine refused the request',
    remedy: 'Read the answer of the engine in the detail and correct the resource.',
  },
  AGENT_COMPOSE_FILE: {
    message: 'Docker Compose cannot use the compose file',
    remedy: 'Correct the file; docker compose config shows how it is understood.',
  },
  AGENT_COMPOSE_FAILED: {
    message: 'Docker Compose failed',
    remedy: 'Run the same by hand on the node and read its output.',
  },
} as const satisfies Record<string, AgentErrorEntry>;
