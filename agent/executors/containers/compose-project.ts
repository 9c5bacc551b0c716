import { dirname } from '../../converge/path-text.ts';
import { AgentError, type AgentErrorCode } from '../../errors.ts';
import { causeOf, runTool } from '../../platform/command.ts';
import { sha256Hex } from '../../platform/digest.ts';
import { type ComposeTool, findComposeTool } from '../../platform/docker/compose-tool.ts';
import type { DockerEngine } from '../../platform/docker/docker-engine.ts';
import { complaintCode } from '../../platform/docker/engine-answers.ts';
import type { Platform, RunResult } from '../../platform/platform.ts';
import { fileStamp } from '../../platform/text-file.ts';
import type { ResourceContext } from '../contract.ts';

/** Labels that Compose gives what it makes. */
export const labels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  configHash: 'com.docker.compose.config-hash',
  oneOff: 'com.docker.compose.oneoff',
} as const;

/** Service -> hash of its configuration, as in the label. */
export type Services = ReadonlyMap<string, string>;

/** A compose file and how Compose is to be called for it. Paths are real ones. */
export interface ComposeFile {
  readonly path: string;
  readonly directory: string;
  readonly envFile: string | undefined;
  readonly project: string;
  /** Undefined when there is no such file. */
  readonly content: Uint8Array | undefined;
  /** Changes when the file or its variables do. */
  readonly stamp: string;
  readonly socket: string;
  /** Looked up once, when it is first needed. */
  readonly tool: () => Promise<ComposeTool>;
}

const contentLimit = 4 * 1024 * 1024;

export async function readComposeFile(
  spec: {
    readonly file: string;
    readonly project: string | undefined;
    readonly envFile: string | undefined;
  },
  engine: DockerEngine,
  platform: Platform,
): Promise<ComposeFile> {
  const { files, paths } = platform;
  const path = await paths.resolve(spec.file, { followLast: true });
  const there = (await files.status(path)) !== undefined;
  const content = there ? await files.read(path, contentLimit) : undefined;
  const variables = await fileStamp(platform, spec.envFile ?? `${dirname(spec.file)}/.env`);
  const project = spec.project ?? projectName(spec.file, content);
  if (project === '')
    throw new AgentError('AGENT_COMPOSE_FILE', {
      detail: `${spec.file}: no project name can be made of its directory; give project`,
    });
  let tool: Promise<ComposeTool> | undefined;
  return {
    path,
    directory: dirname(path),
    envFile: spec.envFile && (await paths.resolve(spec.envFile, { followLast: true })),
    project,
    content,
    stamp: `${content === undefined ? '' : sha256Hex(content)} ${variables}`,
    socket: engine.socket,
    tool: () => {
      tool ??= findComposeTool(platform);
      return tool;
    },
  };
}

/** As Compose does it: the name that the file gives itself, else that of its directory. */
function projectName(file: string, content: Uint8Array | undefined): string {
  const text = new TextDecoder().decode(content);
  const own = /^name:[ \t]*["']?([a-z0-9][a-z0-9_-]*)["']?[ \t]*(?:#.*)?$/m.exec(text)?.[1];
  const directory = dirname(file);
  const name = directory.slice(directory.lastIndexOf('/') + 1);
  return own ?? name.toLowerCase().replace(/[^-_a-z0-9]/g, '');
}

/** So long an answer of Compose counts: other files that the compose file names are not watched. */
const freshMs = 300_000;
const cacheLimit = 1000;
const askTimeoutMs = 60_000;

interface Known {
  readonly at: number;
  readonly stamp: string;
  readonly services: Services;
}

const caches = new WeakMap<Platform['processes'], Map<string, Known>>();

/** The view of a dry run has processes of its own, and so a cache of its own. */
function cacheOf({ processes }: Platform): Map<string, Known> {
  const known = caches.get(processes) ?? new Map<string, Known>();
  caches.set(processes, known);
  return known;
}

export function forgetServices(file: ComposeFile, platform: Platform): void {
  cacheOf(platform).delete(`${file.path} ${file.project}`);
}

/**
 * What the file means. An older answer is taken only when everything is right by it. Undefined when a
 * dry run sees a file that is not on the disk yet, where alone Compose could read it.
 */
export async function servicesOf(
  file: ComposeFile,
  asExpected: (services: Services) => boolean,
  context: ResourceContext,
): Promise<Services | undefined> {
  const { platform } = context;
  const cache = cacheOf(platform);
  const key = `${file.path} ${file.project}`;
  const now = platform.clock.monotonicMs();
  const known = cache.get(key);
  const fresh = known !== undefined && known.stamp === file.stamp && now - known.at < freshMs;
  if (fresh && asExpected(known.services)) return known.services;
  if (!(await isOnDisk(file, context))) return undefined;
  const services = await askServices(file, context);
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(key, { at: now, stamp: file.stamp, services });
  return services;
}

async function isOnDisk(file: ComposeFile, context: ResourceContext): Promise<boolean> {
  const { signal } = context;
  const stdin = new TextDecoder().decode(file.content);
  const argv = ['cmp', '--', '-', file.path] as const;
  return (await runTool(context.platform, argv, { stdin, signal })).exitCode === 0;
}

async function askServices(file: ComposeFile, context: ResourceContext): Promise<Services> {
  const result = await compose(file, ['config', '--hash', '*'], askTimeoutMs, context);
  if (result.exitCode !== 0) throw composeFailure(file, 'config', result, 'AGENT_COMPOSE_FILE');
  const services = new Map<string, string>();
  for (const line of result.stdout.split('\n')) {
    const match = /^(\S+) ([0-9a-f]{64})$/.exec(line.trim());
    if (match !== null) services.set(match[1]!, match[2]!);
  }
  return services;
}

/** @throws {AgentError} AGENT_COMPOSE_FAILED, AGENT_DOCKER_PULL and others for what is around it */
export async function runCompose(
  file: ComposeFile,
  words: readonly string[],
  timeoutMs: number,
  context: ResourceContext,
): Promise<void> {
  const result = await compose(file, words, timeoutMs, context);
  if (result.exitCode !== 0)
    throw composeFailure(file, words[0] ?? '', result, 'AGENT_COMPOSE_FAILED');
}

async function compose(
  file: ComposeFile,
  words: readonly string[],
  timeoutMs: number,
  { platform, signal }: ResourceContext,
): Promise<RunResult> {
  const [command, ...rest] = await file.tool();
  const place = ['--project-name', file.project, '--project-directory', file.directory];
  const variables = file.envFile === undefined ? [] : ['--env-file', file.envFile];
  const argv = [command, ...rest, ...place, '--file', file.path, ...variables, ...words] as const;
  return runTool(platform, argv, {
    environment: { DOCKER_HOST: `unix://${file.socket}` },
    timeoutMs,
    signal,
  });
}

function composeFailure(
  file: ComposeFile,
  what: string,
  result: RunResult,
  code: AgentErrorCode,
): AgentError {
  const { stderr } = result;
  const detail = `${file.project}: ${what}: exit code ${result.exitCode}: ${causeOf(result)}`;
  return new AgentError(aroundCompose(stderr) ?? code, { detail });
}

/** Trouble that is none of the file: Compose has no other signs for it than its words. */
function aroundCompose(stderr: string): AgentErrorCode | undefined {
  const pull =
    /pull access denied|manifest (?:for .* )?(?:unknown|not found)|no basic auth|unauthorized|toomanyrequests|TLS handshake timeout|i\/o timeout|connection refused|no such host|dial (?:tcp|udp)|network is unreachable|Client\.Timeout|server misbehaving|error pulling image/i;
  if (/Cannot connect to the Docker daemon|Couldn't connect to Docker daemon/i.test(stderr))
    return 'AGENT_DOCKER_UNAVAILABLE';
  return complaintCode(stderr) ?? (pull.test(stderr) ? 'AGENT_DOCKER_PULL' : undefined);
}
