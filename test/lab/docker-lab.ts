import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
} from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PassResult } from '../../agent/converge/result.ts';
import { recordPass } from '../support/lab-coverage.ts';
import { labDirectory } from './base.ts';
import type { LabOptions, LabRequest, LabResource } from './resources.ts';

const program = new URL('run-resources.ts', import.meta.url).pathname;
const registryAddress = '127.0.0.1:5000';
const applets = ['sh', 'httpd', 'wget', 'sleep'];
const startLimitMs = 20_000;
const pollMs = 50;

/** A command of an image. The first process of a container ignores signals that it does not handle. */
export function command(line: string): string {
  return `CMD ${JSON.stringify(['/bin/sh', '-c', `trap 'exit 0' TERM; ${line} & wait`])}`;
}

/**
 * A real Docker engine with a registry that is its mirror of Docker Hub, in a network namespace of its
 * own, so that neither the machine's firewall nor its ports are touched; and an agent that finds the
 * engine where every machine has it, in a mount namespace of its own.
 */
export class DockerLab {
  readonly #directory: string;
  readonly #network: string;
  readonly #children: ChildProcess[] = [];
  #engine: ChildProcess | undefined;
  #registry: ChildProcess | undefined;
  #agent: ChildProcessWithoutNullStreams | undefined;
  #answers: AsyncIterator<string> | undefined;

  private constructor(directory: string, network: string) {
    this.#directory = directory;
    this.#network = network;
  }

  static async start(): Promise<DockerLab> {
    mkdirSync(labDirectory(), { recursive: true });
    const directory = mkdtempSync(join(labDirectory(), 'docker-'));
    const lab = new DockerLab(directory, `vigodocker${process.pid}`);
    execFileSync('ip', ['netns', 'add', lab.#network]);
    execFileSync('ip', ['-n', lab.#network, 'link', 'set', 'lo', 'up']);
    await lab.startEngine();
    await lab.startRegistry();
    return lab;
  }

  get #socket(): string {
    return join(this.#directory, 'docker.sock');
  }

  /** Within the network of the engine; what it prints goes to a file. */
  #spawn(name: string, ...words: readonly string[]): ChildProcess {
    const log = openSync(join(this.#directory, `${name}.log`), 'a');
    const argv = [`--net=/run/netns/${this.#network}`, ...words];
    const child = spawn('nsenter', argv, { stdio: ['ignore', log, log] });
    this.#children.push(child);
    return child;
  }

  async startEngine(): Promise<void> {
    const place = (name: string) => join(this.#directory, name);
    this.#engine = this.#spawn(
      ...([
        'dockerd',
        'dockerd',
        '--data-root',
        place('data'),
        '--exec-root',
        place('run'),
      ] as const),
      ...['--pidfile', place('pid'), '--host', `unix://${this.#socket}`],
      ...['--cgroup-parent', `/${this.#network}`],
      ...['--storage-driver', 'overlay2', '--registry-mirror', `http://${registryAddress}`],
    );
    await this.#until('the engine answers', () => this.docker('version'));
  }

  stopEngine(): Promise<void> {
    return stopped(this.#engine);
  }

  async startRegistry(): Promise<void> {
    const settings = join(this.#directory, 'registry.yml');
    const storage = join(this.#directory, 'registry');
    const text = `version: 0.1
storage: { filesystem: { rootdirectory: ${storage} } }
http: { addr: "${registryAddress}" }
`;
    writeFileSync(settings, text);
    this.#registry = this.#spawn('registry', 'docker-registry', 'serve', settings);
    await this.#until('the registry answers', () => this.get(`http://${registryAddress}/v2/`));
  }

  stopRegistry(): Promise<void> {
    return stopped(this.#registry);
  }

  /** What `docker` prints. */
  docker(...words: readonly string[]): string {
    const argv = ['--host', `unix://${this.#socket}`, ...words];
    const environment = { ...process.env, DOCKER_CONFIG: this.#directory, DOCKER_HOST: '' };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    return execFileSync('docker', argv, { encoding: 'utf8', stdio: [...stdio], env: environment });
  }

  /** The body of a page, as seen from the node. */
  get(url: string): string {
    const words = [`--net=/run/netns/${this.#network}`, 'busybox', 'wget', '-q', '-O', '-', url];
    return execFileSync('nsenter', words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  /** Puts an image into the registry whose container answers `page` on port 80. */
  publish(name: string, page: string, ...changes: readonly string[]): void {
    const root = mkdtempSync(join(this.#directory, 'image-'));
    mkdirSync(join(root, 'bin'));
    mkdirSync(join(root, 'www'));
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    chmodSync(join(root, 'bin/busybox'), 0o755);
    for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
    writeFileSync(join(root, 'www/index.html'), page);
    const archive = `${root}.tar`;
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    const settings = [command('httpd -f -p 80 -h /www'), ...changes];
    const words = settings.flatMap((change) => ['--change', change]);
    const reference = `${registryAddress}/${name}`;
    this.docker('import', ...words, archive, reference);
    this.docker('push', '--quiet', reference);
    this.docker('rmi', reference);
  }

  /** One pass of the agent's engine; each is one of the same agent. */
  async converge(resources: readonly LabResource[], options: LabOptions = {}): Promise<PassResult> {
    const request: LabRequest = { dryRun: false, ...options, resources };
    this.#agent ??= this.#startAgent();
    this.#agent.stdin.write(`${JSON.stringify(request)}\n`);
    const answer = await this.#answers?.next();
    if (answer === undefined || answer.done === true) throw new Error('the agent ended');
    const result = JSON.parse(answer.value) as PassResult;
    recordPass(this, result);
    return result;
  }

  #startAgent(): ChildProcessWithoutNullStreams {
    const place = (name: string) => join(this.#directory, name);
    for (const name of ['opt', 'work']) mkdirSync(place(name));
    const layers = `lowerdir=/opt,upperdir=${place('opt')},workdir=${place('work')}`;
    const script = `mount -t overlay overlay -o ${layers} /opt
      mount -t tmpfs tmpfs /run
      ln -s ${this.#socket} /run/docker.sock
      exec "$@"`;
    const words = [`--net=/run/netns/${this.#network}`, 'unshare', '--mount', 'sh', '-ec', script];
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', program];
    const agent = spawn('nsenter', [...words, 'sh', ...node], { stdio: 'pipe' });
    agent.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: agent.stdout })[Symbol.asyncIterator]();
    this.#children.push(agent);
    return agent;
  }

  /** Where the agent has /opt. */
  optPath(name: string): string {
    return join(this.#directory, 'opt', name);
  }

  async #until(what: string, probe: () => unknown): Promise<void> {
    const end = performance.now() + startLimitMs;
    for (;;) {
      try {
        probe();
        return;
      } catch (error) {
        if (performance.now() > end) throw new Error(`${what}: ${String(error)}`);
      }
      await sleep(pollMs);
    }
  }

  async stop(): Promise<void> {
    try {
      const all = this.docker('ps', '--all', '--quiet').split('\n').filter(Boolean);
      if (all.length > 0) this.docker('rm', '--force', ...all);
    } catch {
      // The engine may be down already.
    }
    for (const child of this.#children.toReversed()) await stopped(child);
    execFileSync('ip', ['netns', 'del', this.#network]);
    for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n').toReversed()) {
      const at = line.split(' ')[1] ?? '';
      if (at.startsWith(`${this.#directory}/`)) execFileSync('umount', ['--lazy', at]);
    }
    for (const group of globSync(`/sys/fs/cgroup/{*/,}${this.#network}`)) removeGroups(group);
    if (existsSync(this.#directory)) rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A control group goes when it is empty, the inner ones first. */
function removeGroups(group: string): void {
  const inner = readdirSync(group, { withFileTypes: true }).filter((one) => one.isDirectory());
  for (const { name } of inner) removeGroups(join(group, name));
  rmdirSync(group);
}

async function stopped(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
