import type { Platform } from '../platform.ts';
import { OpenrcManager } from './openrc.ts';
import { liveProcess } from './process-probe.ts';
import { RunitManager } from './runit.ts';
import { SystemdManager } from './systemd.ts';
import { SysvManager } from './sysv.ts';

export interface ServiceStatus {
  /** Canonical name, such as "nginx.service". */
  readonly unit: string;
  readonly exists: boolean;
  /** running includes a finished one-shot that stays active; failed and never started are stopped. */
  readonly activity: 'running' | 'stopped' | 'restarting';
  /** It ended badly and was not started since. */
  readonly failed: boolean;
  readonly boot: 'enabled' | 'disabled' | 'masked' | 'fixed';
  /** Its definition on disk is newer than the one in use. */
  readonly definitionChanged: boolean;
  /** The manager's own words, for a person: "active/running, enabled". */
  readonly description: string;
}

export type ServiceAct =
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'enable'
  | 'disable'
  | 'unmask'
  | 'reread';

/** What the executor needs of systemd, OpenRC, launchd, ... Failures are AgentErrors. */
export interface ServiceManager {
  readonly name: string;
  status(service: string, signal?: AbortSignal): Promise<ServiceStatus>;
  /** Services that start at boot, without those that are made for each instance anew. */
  enabled(signal?: AbortSignal): Promise<readonly string[]>;
  act(act: ServiceAct, status: ServiceStatus, signal?: AbortSignal): Promise<void>;
}

/**
 * The service manager that runs on this machine, by its files and the name of PID 1; undefined when
 * none is supported. Where no other one runs, init scripts with runlevels are SysV.
 */
export async function detectServiceManager(
  platform: Platform,
): Promise<ServiceManager | undefined> {
  const has = async (path: string): Promise<boolean> =>
    (await platform.files.status(await platform.paths.resolve(path, { followLast: true }))) !==
    undefined;
  if (await has('/run/systemd/system')) return new SystemdManager(platform);
  const scripts = new SysvManager(platform);
  if ((await liveProcess(platform, 1))?.name === 'runit')
    return new RunitManager(platform, scripts);
  if (await has('/run/openrc/softlevel')) return new OpenrcManager(platform);
  // Supervised beside another init, as Debian's runit-sysv does.
  if (await has('/run/runit')) return new RunitManager(platform, scripts);
  const runlevels = (await has('/etc/rc2.d')) || (await has('/etc/rc3.d'));
  return runlevels && (await has('/etc/init.d')) ? scripts : undefined;
}
