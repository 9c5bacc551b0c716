import { AgentError, type AgentErrorCode } from '../../errors.ts';
import type { DockerContainer, DockerImage, ListedContainer } from './docker-engine.ts';
import type { EngineAnswer } from './engine-socket.ts';

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object(value)).map(([key, one]) => [key, text(one)]));
}

function parse(answer: EngineAnswer): unknown {
  try {
    return JSON.parse(answer.body);
  } catch (cause) {
    throw new AgentError('AGENT_DOCKER_REFUSED', { detail: 'its answer is no JSON' }, { cause });
  }
}

export function imageOf(answer: EngineAnswer): DockerImage {
  const image = object(parse(answer));
  return { id: text(image.Id), tags: items(image.RepoTags).map(text) };
}

export function containerOf(answer: EngineAnswer): DockerContainer {
  const container = object(parse(answer));
  const state = object(container.State);
  const health = text(object(state.Health).Status);
  return {
    id: text(container.Id),
    // An engine that restarts it over and over says that it runs.
    running: state.Running === true && state.Restarting !== true,
    paused: state.Paused === true,
    exitCode: typeof state.ExitCode === 'number' ? state.ExitCode : 0,
    health:
      health === 'starting' || health === 'healthy' || health === 'unhealthy' ? health : undefined,
    imageId: text(container.Image),
    labels: texts(object(container.Config).Labels),
    restartPolicy: restartPolicyOf(object(object(container.HostConfig).RestartPolicy)),
  };
}

function restartPolicyOf(policy: Json): string {
  const name = text(policy.Name);
  const retries = policy.MaximumRetryCount;
  if (name === 'on-failure' && typeof retries === 'number' && retries > 0)
    return `${name}:${retries}`;
  return name === '' ? 'no' : name;
}

export function containersOf(answer: EngineAnswer): ListedContainer[] {
  return items(parse(answer)).map((item) => {
    const row = object(item);
    const exit = /^Exited \((\d+)\)/.exec(text(row.Status))?.[1];
    return {
      name: text(items(row.Names)[0]).replace(/^\//, ''),
      state: text(row.State),
      exitCode: exit === undefined ? undefined : Number(exit),
      labels: texts(row.Labels),
    };
  });
}

export function networksOf(answer: EngineAnswer): string[] {
  return items(parse(answer)).map((item) => text(object(item).Name));
}

/** What the engine complains about: a message, or the last line of a report of progress. */
export function complaintOf(answer: EngineAnswer): string | undefined {
  for (const line of answer.body.trim().split('\n').toReversed()) {
    try {
      const { error, message } = object(JSON.parse(line));
      if (text(error) !== '') return text(error);
      if (text(message) !== '') return text(message);
    } catch {
      // A line that was cut is none of its words.
    }
  }
  return undefined;
}

/** The error of an answer that says no. */
export function refusal(answer: EngineAnswer, code: AgentErrorCode, what: string): AgentError {
  const complaint = complaintOf(answer) ?? `status ${answer.status}`;
  const detail = `${what}: ${complaint.replace(/\s+/g, ' ')}`;
  return new AgentError(complaintCode(complaint) ?? code, { detail });
}

/** Trouble of the machine that the engine and Compose tell of in the same words. */
export function complaintCode(complaint: string): AgentErrorCode | undefined {
  if (/no space left on device/i.test(complaint)) return 'AGENT_DISK_FULL';
  if (/port is already allocated|address already in use/i.test(complaint))
    return 'AGENT_DOCKER_PORT_TAKEN';
  return undefined;
}
