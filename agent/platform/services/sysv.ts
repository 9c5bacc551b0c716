import { AgentError } from '../../errors.ts';
import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import {
  effectiveAct,
  findInitScript,
  type InitScript,
  runServiceTool,
  scriptActivity,
  scriptName,
} from './init-script.ts';
import type { ServiceAct, ServiceManager, ServiceStatus } from './service-manager.ts';

const actTimeoutMs = 240_000;
const bootTimeoutMs = 60_000;
/** A daemon writes its pid file after its script has ended. */
const patienceMs = 2_000;
const pollMs = 100;
const defaultRunlevel = '2';
const linkPattern = /^([SK])\d\d(.+)$/;

/**
 * Init scripts in /etc/init.d and links in /etc/rc?.d, as update-rc.d (Debian) or chkconfig keeps
 * them. Nothing starts a process where a pid file and /proc tell.
 */
export class SysvManager implements ServiceManager {
  readonly name = 'sysv';
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async status(service: string, signal?: AbortSignal): Promise<ServiceStatus> {
    const unit = scriptName(service);
    const script = await findInitScript(this.#platform, unit);
    if (script === undefined) return noService(unit);
    const activity = await scriptActivity(this.#platform, script, signal);
    const boot = (await this.#links(unit)).starts ? 'enabled' : 'disabled';
    return {
      unit,
      exists: true,
      activity: activity === 'running' ? 'running' : 'stopped',
      failed: activity === 'failed',
      boot,
      definitionChanged: false,
      description: `${activity}, ${boot}`,
    };
  }

  async enabled(): Promise<readonly string[]> {
    const found = new Set<string>();
    for (const directory of await this.#bootDirectories())
      for (const { name, starts } of await this.#list(directory)) if (starts) found.add(name);
    const scripts: string[] = [];
    for (const name of found)
      if ((await findInitScript(this.#platform, name)) !== undefined) scripts.push(name);
    return scripts;
  }

  async act(act: ServiceAct, status: ServiceStatus, signal?: AbortSignal): Promise<void> {
    if (act === 'reread' || act === 'unmask') return;
    if (act === 'enable' || act === 'disable') return this.#atBoot(act, status.unit, signal);
    const script = await findInitScript(this.#platform, status.unit);
    if (script === undefined) throw new AgentError('AGENT_SERVICE_UNKNOWN', status.unit);
    const verb = effectiveAct(act, status.activity === 'running');
    // By LSB force-reload restarts what cannot read its configuration again.
    await this.#run(script, verb === 'reload' ? 'force-reload' : verb, signal);
    if (verb !== 'stop') await this.#comesUp(script, signal);
  }

  /** Through `service` where it is, for the clean environment of a boot. */
  async #run(script: InitScript, verb: string, signal: AbortSignal | undefined): Promise<void> {
    const tool = await firstTool(this.#platform, ['/usr/sbin/service', '/sbin/service']);
    const argv =
      tool === undefined ? ([script.path, verb] as const) : ([tool, script.name, verb] as const);
    const what = `${script.name}: ${verb}`;
    await runServiceTool(this.#platform, [...argv], { what, signal, timeoutMs: actTimeoutMs });
  }

  async #comesUp(script: InitScript, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#platform;
    for (let waited = 0; waited < patienceMs && !signal?.aborted; waited += pollMs) {
      if ((await scriptActivity(this.#platform, script, signal)) === 'running') return;
      await clock.sleep(pollMs, signal);
    }
  }

  async #atBoot(
    act: 'enable' | 'disable',
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const options = { what: `${name}: ${act}`, signal, timeoutMs: bootTimeoutMs };
    const update = await firstTool(this.#platform, ['/usr/sbin/update-rc.d', '/sbin/update-rc.d']);
    if (update !== undefined) {
      // `enable` only turns links that are there; `defaults` only makes what is not.
      if (act === 'enable' && !(await this.#links(name)).any)
        await runServiceTool(this.#platform, [update, name, 'defaults'], options);
      if (act === 'enable' && (await this.#links(name)).starts) return;
      return runServiceTool(this.#platform, [update, name, act], options);
    }
    const check = await firstTool(this.#platform, ['/sbin/chkconfig', '/usr/sbin/chkconfig']);
    if (check === undefined)
      throw new AgentError('AGENT_SERVICE_FAILED', {
        detail: `${name}: ${act}: neither update-rc.d nor chkconfig is on this machine`,
      });
    if (act === 'enable' && !(await this.#links(name)).any)
      await runServiceTool(this.#platform, [check, '--add', name], options);
    return runServiceTool(this.#platform, [check, name, act === 'enable' ? 'on' : 'off'], options);
  }

  async #links(name: string): Promise<{ readonly any: boolean; readonly starts: boolean }> {
    let [any, starts] = [false, false];
    for (const directory of await this.#bootDirectories())
      for (const link of await this.#list(directory)) {
        if (link.name !== name) continue;
        any = true;
        starts ||= link.starts;
      }
    return { any, starts };
  }

  /** What a boot goes through: single-user scripts, then those of the default runlevel. */
  async #bootDirectories(): Promise<string[]> {
    const inittab = (await readText(this.#platform, '/etc/inittab')) ?? '';
    const level = /^[^#:]*:([0-9]):initdefault:/m.exec(inittab)?.[1] ?? defaultRunlevel;
    const found: string[] = [];
    for (const name of ['rcS.d', `rc${level}.d`]) {
      const path = await this.#platform.paths.resolve(`/etc/${name}`, { followLast: true });
      if ((await this.#platform.files.status(path))?.kind === 'directory') found.push(path);
    }
    return found;
  }

  async #list(directory: string): Promise<{ readonly name: string; readonly starts: boolean }[]> {
    return (await this.#platform.files.list(directory)).flatMap((entry) => {
      const found = linkPattern.exec(entry);
      return found === null ? [] : [{ name: found[2]!, starts: found[1] === 'S' }];
    });
  }
}

export function noService(unit: string): ServiceStatus {
  return {
    unit,
    exists: false,
    activity: 'stopped',
    failed: false,
    boot: 'disabled',
    definitionChanged: false,
    description: 'not there',
  };
}

async function firstTool(
  platform: Platform,
  candidates: readonly string[],
): Promise<string | undefined> {
  for (const candidate of candidates) {
    const path = await platform.paths.resolve(candidate, { followLast: true });
    if ((await platform.files.status(path))?.kind === 'file') return candidate;
  }
  return undefined;
}
