import type { Platform } from '../platform.ts';
import { SystemdManager } from './systemd.ts';

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

/** The service manager that runs on this machine; undefined when none is supported. */
export async function detectServiceManager(
  platform: Platform,
): Promise<ServiceManager | undefined> {
  const systemd = await platform.paths.resolve('/run/systemd/system');
  if ((await platform.files.status(systemd))?.kind === 'directory')
    return new SystemdManager(platform);
  return undefined;
}
