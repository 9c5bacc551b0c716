import { AgentError } from '../../errors.ts';
import { runTool } from '../command.ts';
import type { Platform } from '../platform.ts';
import { readText } from '../text-file.ts';
import {
  effectiveAct,
  findInitScript,
  type InitScript,
  pidOf,
  runServiceTool,
  scriptActivity,
  scriptName,
} from './init-script.ts';
import { liveProcess, programRuns } from './process-probe.ts';
import type { ServiceAct, ServiceManager, ServiceStatus } from './service-manager.ts';
import { noService } from './sysv.ts';

const actTimeoutMs = 240_000;
const statusTimeoutMs = 30_000;
const stateDirectory = '/run/openrc';
const levelDirectory = '/etc/runlevels';
const bootLevel = 'default';
/** Runlevels that no ordinary boot enters. */
const otherLevels = ['shutdown', 'off', 'recovery', 'single'];
/** Exit code of `rc-service NAME status` for a service whose daemon is gone. */
const crashedCode = 32;
const daemonLimit = 50;

type Activity = 'started' | 'stopped' | 'crashed' | 'failed' | 'starting' | 'inactive';

/**
 * OpenRC by its own files: states are links below /run/openrc, what starts at boot are links below
 * /etc/runlevels. A service that OpenRC calls started while its daemon is gone is stopped. Scripts of
 * the LSB kind have no state there and are looked at as SysV scripts are.
 */
export class OpenrcManager implements ServiceManager {
  readonly name = 'openrc';
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async status(service: string, signal?: AbortSignal): Promise<ServiceStatus> {
    const unit = scriptName(service);
    const script = await findInitScript(this.#platform, unit);
    if (script === undefined) return noService(unit);
    const activity = script.openrc
      ? await this.#activity(script, signal)
      : lsbActivities[await scriptActivity(this.#platform, script, signal)];
    const levels = await this.#levels(unit);
    const boot = levels.some(isBootLevel) ? 'enabled' : 'disabled';
    const place = levels.length === 0 ? 'in no runlevel' : `in ${levels.join(', ')}`;
    return {
      unit,
      exists: true,
      activity: ['started', 'starting', 'inactive'].includes(activity) ? 'running' : 'stopped',
      failed: activity === 'crashed' || activity === 'failed',
      boot,
      definitionChanged: false,
      description: `${activity}, ${place}`,
    };
  }

  async enabled(): Promise<readonly string[]> {
    const found = new Set<string>();
    for (const level of (await this.#list(levelDirectory)).filter(isBootLevel))
      for (const name of await this.#list(`${levelDirectory}/${level}`))
        if ((await findInitScript(this.#platform, name)) !== undefined) found.add(name);
    return [...found];
  }

  async act(act: ServiceAct, status: ServiceStatus, signal?: AbortSignal): Promise<void> {
    const { unit } = status;
    if (act === 'reread' || act === 'unmask') return;
    const options = { what: `${unit}: ${act}`, signal, timeoutMs: actTimeoutMs };
    if (act === 'enable')
      return this.#run(['/sbin/rc-update', '--quiet', 'add', unit, bootLevel], options);
    if (act === 'disable') {
      const levels = (await this.#levels(unit)).filter(isBootLevel);
      return this.#run(['/sbin/rc-update', '--quiet', 'delete', unit, ...levels], options);
    }
    const verb = effectiveAct(act, status.activity === 'running');
    const script = await findInitScript(this.#platform, unit);
    if (script === undefined) throw new AgentError('AGENT_SERVICE_UNKNOWN', unit);
    // What OpenRC takes for started it would not start.
    if (verb === 'start' && script.openrc && (await this.#has('started', unit)))
      await this.#run(['/sbin/rc-service', unit, 'zap'], options);
    if (verb !== 'reload' || (await this.#reloads(script)))
      return this.#run(['/sbin/rc-service', unit, verb], options);
    return this.#run(['/sbin/rc-service', unit, 'restart'], options);
  }

  #run(argv: readonly [string, ...string[]], options: Parameters<typeof runServiceTool>[2]) {
    return runServiceTool(this.#platform, argv, options);
  }

  async #activity(script: InitScript, signal: AbortSignal | undefined): Promise<Activity> {
    if (await this.#has('starting', script.name)) return 'starting';
    if (await this.#has('inactive', script.name)) return 'inactive';
    if (await this.#has('started', script.name)) {
      return (await this.#daemonsLive(script, signal)) ? 'started' : 'crashed';
    }
    return (await this.#has('failed', script.name)) ? 'failed' : 'stopped';
  }

  /** True for a service without a daemon. */
  async #daemonsLive(script: InitScript, signal: AbortSignal | undefined): Promise<boolean> {
    const directory = `${stateDirectory}/daemons/${script.name}`;
    const daemons = (await this.#list(directory)).slice(0, daemonLimit);
    // Debian's start-stop-daemon tells OpenRC nothing.
    if (daemons.length === 0) return this.#declaredDaemonLives(script);
    for (const daemon of daemons) {
      const text = (await readText(this.#platform, `${directory}/${daemon}`)) ?? '';
      const pidFile = /^pidfile=(\/.+)$/m.exec(text)?.[1];
      if (pidFile === undefined) return this.#asked(script, signal);
      if ((await this.#livePid(pidFile)) === undefined) return false;
    }
    return true;
  }

  async #declaredDaemonLives({ pidFile, program }: InitScript): Promise<boolean> {
    if (pidFile === undefined || program === undefined) return true;
    return (
      (await this.#livePid(pidFile)) !== undefined || (await programRuns(this.#platform, program))
    );
  }

  async #asked({ name }: InitScript, signal: AbortSignal | undefined): Promise<boolean> {
    const options = { signal, timeoutMs: statusTimeoutMs };
    const argv = ['/sbin/rc-service', name, 'status'] as const;
    return (await runTool(this.#platform, argv, options)).exitCode !== crashedCode;
  }

  async #livePid(pidFile: string) {
    return liveProcess(this.#platform, await pidOf(this.#platform, pidFile));
  }

  /** An openrc-run script has to say that it can; any other answers force-reload as it likes. */
  async #reloads({ openrc, path }: InitScript): Promise<boolean> {
    if (!openrc) return true;
    const text = (await readText(this.#platform, path)) ?? '';
    return /^\s*extra_(?:started_)?commands=.*\breload\b/m.test(text);
  }

  async #has(state: string, name: string): Promise<boolean> {
    const path = await this.#platform.paths.resolve(`${stateDirectory}/${state}/${name}`);
    return (await this.#platform.files.status(path)) !== undefined;
  }

  async #levels(name: string): Promise<string[]> {
    const found: string[] = [];
    for (const level of await this.#list(levelDirectory)) {
      const path = await this.#platform.paths.resolve(`${levelDirectory}/${level}/${name}`);
      if ((await this.#platform.files.status(path)) !== undefined) found.push(level);
    }
    return found;
  }

  async #list(directory: string): Promise<string[]> {
    const path = await this.#platform.paths.resolve(directory, { followLast: true });
    if ((await this.#platform.files.status(path))?.kind !== 'directory') return [];
    return (await this.#platform.files.list(path)).sort();
  }
}

const lsbActivities = { running: 'started', stopped: 'stopped', failed: 'crashed' } as const;

function isBootLevel(level: string): boolean {
  return !otherLevels.includes(level);
}
