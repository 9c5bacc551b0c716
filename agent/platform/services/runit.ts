import { AgentError } from '../../errors.ts';
import type { Platform } from '../platform.ts';
import { effectiveAct, runServiceTool, scriptName } from './init-script.ts';
import { liveProcess, programRuns } from './process-probe.ts';
import type { ServiceAct, ServiceManager, ServiceStatus } from './service-manager.ts';

const actTimeoutMs = 240_000;
/** As sv by itself waits for a start, which never comes of what ends at once; an end may take longer. */
const startSeconds = '7';
const stopSeconds = '30';
/** runsvdir looks for new directories every five seconds. */
const superviseMs = 8_000;
const pollMs = 100;
/** sv answers before runsv has done it when the service began in the same second. */
const settleMs = 3_000;
/** Artix, Void, then Debian: where runsvdir looks, and where definitions lie. */
const scanned = ['/run/runit/service', '/var/service', '/etc/service'];
const definitions = ['/etc/sv', '/etc/runit/sv'];
const emptyFile = new Uint8Array();
/** runsv writes supervise/status: time, pid (little endian), paused, want, TERM sent, state. */
const statusLength = 20;
const wantUp = 'u'.charCodeAt(0);

interface Supervised {
  readonly activity: ServiceStatus['activity'];
  readonly description: string;
  /** 0 without a process. */
  readonly pid: number;
}

/**
 * runit: a service is a directory with a program `run`, supervised when linked into the directory
 * that runsvdir scans, and started at boot unless it holds a file `down`. So a disabled service may
 * run: it is linked and has that file. Without such a directory the init script of that name is the
 * service, as runit hosts of Debian run those too.
 */
export class RunitManager implements ServiceManager {
  readonly name = 'runit';
  readonly #platform: Platform;
  readonly #scripts: ServiceManager;

  constructor(platform: Platform, scripts: ServiceManager) {
    this.#platform = platform;
    this.#scripts = scripts;
  }

  async status(service: string, signal?: AbortSignal): Promise<ServiceStatus> {
    const unit = scriptName(service);
    const directory = await this.#directory(unit);
    if (directory === undefined) return this.#scripts.status(service, signal);
    const linked = await this.#linked(unit);
    const boot = linked && !(await this.#exists(`${directory}/down`)) ? 'enabled' : 'disabled';
    const { activity, description } = linked ? await this.#supervised(directory) : notSupervised;
    return {
      unit,
      exists: true,
      activity,
      failed: false,
      boot,
      definitionChanged: false,
      description: `${description}, ${boot}`,
    };
  }

  async enabled(signal?: AbortSignal): Promise<readonly string[]> {
    const found = new Set(await this.#scripts.enabled(signal));
    const directory = await this.#scanned();
    for (const name of await this.#platform.files.list(await this.#resolve(directory))) {
      if (name.startsWith('.') || !(await this.#exists(`${directory}/${name}/run`))) continue;
      if (await this.#exists(`${directory}/${name}/down`)) found.delete(name);
      else found.add(name);
    }
    return [...found];
  }

  async act(act: ServiceAct, status: ServiceStatus, signal?: AbortSignal): Promise<void> {
    const { unit } = status;
    const directory = await this.#directory(unit);
    if (directory === undefined) return this.#scripts.act(act, status, signal);
    if (act === 'reread' || act === 'unmask') return;
    if (act === 'disable') return this.#holdDown(directory);
    if (act === 'enable') {
      await this.#supervise(unit, directory, signal);
      return this.#platform.files.removeFile(await this.#resolve(`${directory}/down`));
    }
    if (act === 'stop' && !(await this.#linked(unit))) return;
    await this.#supervise(unit, directory, signal);
    const verb = effectiveAct(act, status.activity === 'running');
    const { pid } = await this.#supervised(directory);
    const waitSeconds = verb === 'start' ? startSeconds : stopSeconds;
    const argv = [
      '/usr/bin/sv',
      '-w',
      waitSeconds,
      verb,
      `${await this.#scanned()}/${unit}`,
    ] as const;
    const options = { what: `${unit}: ${act}`, signal, timeoutMs: actTimeoutMs };
    await runServiceTool(this.#platform, argv, options);
    if (verb !== 'reload')
      await this.#settles(directory, verb === 'restart' ? pid : 0, verb !== 'stop', signal);
  }

  /** Waits until its runsv has done as told: down for good, or up, as another process than before. */
  async #settles(
    directory: string,
    before: number,
    up: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (let waited = 0; waited <= settleMs && !signal?.aborted; waited += pollMs) {
      const { activity, pid } = await this.#supervised(directory);
      if (up ? activity === 'running' && pid !== before : activity === 'stopped') return;
      await this.#platform.clock.sleep(pollMs, signal);
    }
  }

  /** Links it, held down until somebody starts it, and waits for its runsv. */
  async #supervise(name: string, directory: string, signal?: AbortSignal): Promise<void> {
    const { files, clock } = this.#platform;
    if (!(await this.#linked(name))) {
      await this.#holdDown(directory);
      const link = `${await this.#scanned()}/${name}`;
      await files.symbolicLink(directory, await this.#resolve(link, false));
    }
    for (let waited = 0; waited <= superviseMs && !signal?.aborted; waited += pollMs) {
      // Its files alone tell nothing: those of an earlier runsv may still be there.
      const ready = await this.#exists(`${directory}/supervise/ok`);
      if (ready && (await programRuns(this.#platform, 'runsv', name))) return;
      await clock.sleep(pollMs, signal);
    }
    throw new AgentError('AGENT_SERVICE_FAILED', {
      detail: `${name}: runsvdir has not taken it up after ${superviseMs / 1000} s; does it run?`,
    });
  }

  /** What runsv says, and whether that runsv is still the parent: its files outlive it. */
  async #supervised(directory: string): Promise<Supervised> {
    const path = await this.#resolve(`${directory}/supervise/status`);
    if ((await this.#platform.files.status(path))?.kind !== 'file') return notSupervised;
    const bytes = await this.#platform.files.read(path);
    if (bytes.length !== statusLength) return notSupervised;
    const pid = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);
    const live = await liveProcess(this.#platform, pid);
    const parent = live && (await liveProcess(this.#platform, live.parent));
    const wantsUp = bytes[17] === wantUp;
    if (parent?.name === 'runsv' && bytes[19] === 1)
      return { activity: 'running', description: 'run', pid };
    // runsv waits a second before it starts again what ended by itself.
    if (wantsUp) return { activity: 'restarting', description: 'down, wanted up', pid: 0 };
    return { activity: 'stopped', description: 'down', pid: 0 };
  }

  /** Where the service is defined, as it is linked now or as the distribution ships it. */
  async #directory(name: string): Promise<string | undefined> {
    for (const parent of [...definitions, await this.#scanned()])
      if (await this.#exists(`${parent}/${name}/run`)) return `${parent}/${name}`;
    return undefined;
  }

  async #scanned(): Promise<string> {
    for (const directory of scanned) {
      const path = await this.#resolve(directory);
      if ((await this.#platform.files.status(path))?.kind === 'directory') return directory;
    }
    throw new AgentError('AGENT_SERVICE_MANAGER_MISSING');
  }

  async #linked(name: string): Promise<boolean> {
    return this.#exists(`${await this.#scanned()}/${name}/run`);
  }

  async #holdDown(directory: string): Promise<void> {
    const { files } = this.#platform;
    const real = await this.#resolve(directory);
    if ((await files.status(`${real}/down`)) !== undefined) return;
    // Of a write that was interrupted; no resource names this directory, so the engine does not look.
    await files.removeTemporaries(real);
    await files.writeAtomic(`${real}/down`, emptyFile, { mode: 0o644 });
  }

  async #exists(path: string): Promise<boolean> {
    return (await this.#platform.files.status(await this.#resolve(path))) !== undefined;
  }

  #resolve(path: string, followLast = true): Promise<string> {
    return this.#platform.paths.resolve(path, { followLast });
  }
}

const notSupervised: Supervised = { activity: 'stopped', description: 'not supervised', pid: 0 };
