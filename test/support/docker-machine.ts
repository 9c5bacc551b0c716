import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Platform, RunRequest } from '../../agent/platform/platform.ts';
import {
  type FakeContainer,
  FakeDockerEngine,
  readDocker,
  writeDocker,
} from './fake-docker-engine.ts';
import type { FaultMode, FaultyPlatform } from './faulty-platform.ts';
import { arrange, type SimulatedTool, simulatedMachine } from './simulated-machine.ts';

const socket = '/var/run/docker.sock';

/** Engines and calls of each root that a machine was made for, the last one last. */
export interface DockerMachine {
  readonly platform: (root: string) => Platform;
  readonly engines: FakeDockerEngine[];
  readonly calls: RunRequest[];
}

/** A machine with a FakeDockerEngine and a Compose that works on the same containers. */
export function dockerMachine(): DockerMachine {
  const engines: FakeDockerEngine[] = [];
  const calls: RunRequest[] = [];
  const machine = simulatedMachine(
    { 'docker-compose': simulatedCompose, cmp: compareFiles },
    calls,
  );
  return {
    engines,
    calls,
    platform: (root) => {
      if (existsSync(`${root}/var/lib/docker`))
        engines.push(new FakeDockerEngine(root, `${root}${socket}`));
      return { ...machine(root), clock: hastyClock() };
    },
  };
}

const shortSleepMs = 10_000;

/** Short sleeps are over at once; time limits are never reached. */
function hastyClock(): Platform['clock'] {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (delayMs) => {
      if (delayMs > shortSleepMs) return new Promise(() => {});
      nowMs += delayMs;
    },
  };
}

/** In place of faulty files: an engine on the same state whose connection breaks, before or after. */
export function breakingEngine(platform: Platform, nth: number, mode: FaultMode): FaultyPlatform {
  if (mode === 'leftover') return { platform, reached: () => false, reachedCall: () => '' };
  let engine: FakeDockerEngine | undefined;
  const { paths } = platform;
  return {
    platform: {
      ...platform,
      paths: {
        root: paths.root,
        confined: paths.confined,
        declared: (real) => paths.declared(real),
        resolve: async (declared, options) => {
          const real = await paths.resolve(declared, options);
          if (declared !== socket) return real;
          const root = real.slice(0, -socket.length);
          const breaking = `${root}/var/run/breaking.sock`;
          engine ??= new FakeDockerEngine(root, breaking, { nth, mode });
          return breaking;
        },
      },
    },
    reached: () => engine?.reached === true,
    reachedCall: () => engine?.requests[nth - 1] ?? '',
  };
}

/** Where Compose is, as a file. */
export function installCompose(root: string, file: string, content: string): void {
  arrange(root, { '/usr/bin/docker-compose': '', '/usr/bin/cmp': '', [file]: content });
}

/** Service -> text about it, of a compose file of two levels. */
function services(text: string): Map<string, string> {
  const parts = text.split(/^ {2}(?=\w)/m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf(':')), part]));
}

function hashOf(part: string): string {
  return createHash('sha256').update(part).digest('hex');
}

function option(words: readonly string[], name: string): string {
  return words[words.indexOf(name) + 1] ?? '';
}

/** What Compose does to containers and networks; see test/lab/docker.lab.test.ts for the real one. */
const simulatedCompose: SimulatedTool = (words, root) => {
  const text = readFileSync(option(words, '--file'), 'utf8');
  if (!text.startsWith('services:')) return { exitCode: 1, stderr: 'ERROR: is no compose file' };
  const wanted = services(text);
  const project = option(words, '--project-name');
  if (words.includes('config'))
    return { stdout: [...wanted].map(([name, part]) => `${name} ${hashOf(part)}\n`).join('') };
  const state = readDocker(root);
  const isOwn = (one: FakeContainer) => one.labels['com.docker.compose.project'] === project;
  const others = state.containers.filter((one) => !isOwn(one));
  const { [`${project}_default`]: _gone, ...networks } = state.networks;
  if (words.includes('down')) {
    writeDocker(root, { ...state, containers: others, networks });
    return {};
  }
  const images = [...text.matchAll(/image: (\S+)/g)].map((match) => match[1]!);
  const missing = images.filter((image) => state.images[image] === undefined);
  const pulls = words.includes('pull') ? images : missing;
  if (pulls.some((image) => state.registry?.[image] === undefined))
    return { exitCode: 1, stderr: 'manifest for nginx not found: manifest unknown' };
  const pulled = pulls.map((image) => [image, state.registry?.[image] ?? '']);
  const next = { ...state, images: { ...state.images, ...Object.fromEntries(pulled) } };
  if (words.includes('pull')) {
    writeDocker(root, next);
    return {};
  }
  const orphans = state.containers.filter(
    (one) => isOwn(one) && !wanted.has(one.labels['com.docker.compose.service'] ?? ''),
  );
  const kept = words.includes('--remove-orphans') ? [] : orphans;
  const up = [...wanted].map(
    ([service, part]): FakeContainer => ({
      name: `${project}_${service}_1`,
      image: '',
      imageId: '',
      state: part.includes('one-shot') ? 'exited' : 'running',
      labels: composeLabels(project, service, part),
    }),
  );
  const labels = { 'com.docker.compose.project': project };
  writeDocker(root, {
    ...next,
    containers: [...others, ...kept, ...up],
    networks: { ...networks, [`${project}_default`]: labels },
  });
  return {};
};

export function composeLabels(project: string, service: string, part: string) {
  return {
    'com.docker.compose.project': project,
    'com.docker.compose.service': service,
    'com.docker.compose.config-hash': hashOf(part),
  };
}

const compareFiles: SimulatedTool = (words, _root, stdin) => {
  const path = words.at(-1)!;
  const same = existsSync(path) && readFileSync(path, 'utf8') === stdin;
  return { exitCode: same ? 0 : 1 };
};
