import {
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseRoot, labDirectory } from './base.ts';
import { execute, type RunOutcome, succeed } from './execute.ts';
import {
  type KernelHost,
  type KernelHostOptions,
  kernelHostScript,
  startKernelHost,
} from './kernel-host.ts';

const here = dirname(fileURLToPath(import.meta.url));
const script = join(here, 'labhost.sh');
const projectRoot = resolve(here, '../..');
const nodeHere = dirname(dirname(process.execPath));
const hostLimit = 50;
const hostsOfUsualLimits = 20;
const watchLimitPath = '/proc/sys/fs/inotify/max_user_instances';
const watchLimit = 1024;
const namePattern = /^[a-z][a-z0-9-]{0,13}$/;

/** Where a host finds this project and the Node that runs it, both read-only. */
export const projectInHost = '/opt/vigo';
export const nodeInHost = '/opt/node/bin/node';
/** The address at which a server in `lab.namespace` answers to the hosts. */
export const serverAddress = '10.99.0.1';

/** A machine of the lab, whatever it runs on. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Runs a command as the host's root, with the host's rights only. */
  run(argv: readonly string[], stdin?: string): Promise<RunOutcome>;
  /** Like `run`, but anything other than exit code 0 throws. Answers standard output. */
  must(argv: readonly string[], stdin?: string): Promise<string>;
  /** Starts a command that goes on running; it ends with the host. */
  start(argv: readonly string[]): ChildProcessWithoutNullStreams;
  down(): Promise<void>;
}

/** A host that shares this machine's kernel. */
export interface LabHost extends Host {
  /** The host's file system as this machine sees it; write here to change a running host. */
  readonly root: string;
  /** Copies a file or directory of this machine to a path in the host. */
  copyIn(from: string, to: string): void;
  /** As `systemctl reboot` in it; resolves when it has booted again. */
  reboot(): Promise<void>;
  /** Pulls the network cable or plugs it in. */
  link(state: 'up' | 'down'): Promise<void>;
}

export interface Lab {
  /** Network namespace with the bridge to all hosts: `ip netns exec <namespace> ...`. */
  readonly namespace: string;
  /** A running host of that name; started at the first call, with systemd or the init given. */
  host(name: string, init?: HostInit): Promise<LabHost>;
  /** A new host with a kernel of its own. */
  kernelHost(name: string, options?: KernelHostOptions): Promise<KernelHost>;
  /** Ends every host and removes what the lab made. */
  stop(): Promise<void>;
}

/** A host that is no plain Debian. One with an init system other than systemd cannot reboot. */
export interface HostInit {
  /** Lower directories of the host's overlay, uppermost first. */
  readonly layers: readonly string[];
  /** Its init is systemd after all. */
  readonly systemd?: boolean;
}

export interface LabOptions {
  /** Hosts that there will be, when they are more than the machine's own limits carry. */
  readonly hosts?: number;
  /** Directories of this machine that every host sees, read-only: path in the host -> path here. */
  readonly shared?: Readonly<Record<string, string>>;
}

/** A network of real Debian hosts with systemd, apt, cron and accounts. Needs root. */
export async function startLab({ hosts = 1, shared = {} }: LabOptions = {}): Promise<Lab> {
  const base = baseRoot();
  const labs = join(labDirectory(), 'labs');
  mkdirSync(labs, { recursive: true });
  sweep(labs);
  const directory = mkdtempSync(join(labs, 'l'));
  writeFileSync(join(directory, 'owner.pid'), String(process.pid));
  const lab = new RunningLab(directory, base, shared);
  lab.up(hosts);
  return lab;
}

class RunningLab implements Lab {
  readonly namespace: string;
  readonly #directory: string;
  readonly #base: string;
  readonly #shared: Readonly<Record<string, string>>;
  readonly #hosts = new Map<string, Promise<LabHost>>();
  readonly #kernelHosts: Promise<KernelHost>[] = [];
  #restore = () => {};
  readonly #atExit = () => removeLab(this.#directory);

  constructor(directory: string, base: string, shared: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#base = base;
    this.#shared = shared;
    this.namespace = networkName(directory);
  }

  up(hosts: number): void {
    process.once('exit', this.#atExit);
    if (hosts > hostsOfUsualLimits) this.#restore = raiseWatchLimit();
    execFileSync(script, ['net-up'], { env: environment(this.#directory) });
  }

  host(name: string, init?: HostInit): Promise<LabHost> {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = this.#start(name, this.#octet(name), init);
    this.#hosts.set(name, host);
    return host;
  }

  kernelHost(name: string, options: KernelHostOptions = {}): Promise<KernelHost> {
    const shared = { node: nodeHere, vigo: projectRoot };
    const directory = this.#directory;
    const env = environment(directory);
    const place = { name, octet: this.#octet(name), directory, env, shared };
    const host = startKernelHost(place, options);
    this.#kernelHosts.push(host);
    return host;
  }

  /** Last part of the address of the next host. */
  #octet(name: string): number {
    if (!namePattern.test(name)) throw new Error(`${name} is no name for a lab host`);
    const count = this.#hosts.size + this.#kernelHosts.length;
    if (count >= hostLimit) throw new Error(`a lab has at most ${hostLimit} hosts`);
    return 11 + count;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#atExit);
    const hosts: Promise<Host>[] = [...this.#hosts.values(), ...this.#kernelHosts];
    await Promise.allSettled(hosts.map(async (host) => (await host).down()));
    removeLab(this.#directory);
    this.#restore();
  }

  async #start(name: string, octet: number, init?: HostInit): Promise<LabHost> {
    const shared = { [projectInHost]: projectRoot, '/opt/node': nodeHere, ...this.#shared };
    const binds = Object.entries(shared).map(([to, from]) => `--bind-ro=${from}:${to}`);
    const env = { ...environment(this.#directory), LABOPTIONS: binds.join('\n') };
    const root = join(this.#directory, 'hosts', name, 'root');
    const run = (words: readonly string[], stdin?: string) => execute(script, words, env, stdin);
    const layers = init?.layers.join(':') ?? this.#base;
    const inHost = (init?.systemd ?? init === undefined) ? inSystemdHost : inInitHost;
    await succeed(run(['up', name, String(octet), layers]), `start host ${name}`);
    await succeed(run(['wait', name]), `boot host ${name}`);
    return {
      name,
      address: `10.99.0.${octet}`,
      root,
      run: (argv, stdin) => run(inHost(name, argv), stdin),
      must: (argv, stdin) => succeed(run(inHost(name, argv), stdin), argv.join(' ')),
      start: (argv) => spawn(script, inHost(name, argv), { env }),
      copyIn: (from, to) => cpSync(from, join(root, to), { recursive: true }),
      reboot: async () => {
        await succeed(run(['reboot', name]), `reboot host ${name}`);
        await succeed(run(['wait', name]), `boot host ${name}`);
      },
      link: async (state) => {
        await succeed(run(['link', name, state]), `link of host ${name}`);
      },
      down: async () => {
        await run(['down', name]);
      },
    };
  }
}

/** systemd-run would expand a "$" of its own. */
function inSystemdHost(name: string, argv: readonly string[]): string[] {
  return ['sh', name, ...argv.map((word) => word.replaceAll('$', '$$$$'))];
}

function inInitHost(name: string, argv: readonly string[]): string[] {
  return ['sh', name, ...argv];
}

function networkName(directory: string): string {
  return `v${directory.slice(-6)}`;
}

function environment(directory: string) {
  return { PATH: process.env.PATH, LAB: directory, LABNET: networkName(directory) };
}

/** Ends what labs of dead processes left behind. */
function sweep(labs: string): void {
  for (const name of readdirSync(labs)) {
    const directory = join(labs, name);
    const owner = join(directory, 'owner.pid');
    if (!existsSync(owner)) continue;
    if (!existsSync(`/proc/${readFileSync(owner, 'utf8')}`)) removeLab(directory);
  }
}

/**
 * Each systemd takes some inotify instances of the 128 that Linux gives one user; with none left a
 * host does not boot. The limit is the machine's, so it is put back.
 */
function raiseWatchLimit(): () => void {
  const before = readFileSync(watchLimitPath, 'utf8');
  if (Number(before) >= watchLimit) return () => {};
  writeFileSync(watchLimitPath, String(watchLimit));
  return () => writeFileSync(watchLimitPath, before);
}

/** Synchronous, so that it also runs while the process ends. */
function removeLab(directory: string): void {
  const env = environment(directory);
  const hosts = join(directory, 'hosts');
  const names = existsSync(hosts) ? readdirSync(hosts) : [];
  // What fails here is still there for the sweep of the next lab.
  for (const name of names) {
    const own = existsSync(join(hosts, name, 'uml.pid'));
    spawnSync(own ? kernelHostScript : script, ['down', name], { env, stdio: 'ignore' });
  }
  spawnSync(script, ['net-down'], { env, stdio: 'ignore' });
  const left = existsSync(hosts) ? readdirSync(hosts) : [];
  if (left.length === 0) rmSync(directory, { recursive: true, force: true });
}
