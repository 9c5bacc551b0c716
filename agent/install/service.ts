import { AgentError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import { OpenrcManager } from '../platform/services/openrc.ts';
import { RunitManager } from '../platform/services/runit.ts';
import { detectServiceManager, type ServiceManager } from '../platform/services/service-manager.ts';
import { SystemdManager } from '../platform/services/systemd.ts';
import { SysvManager } from '../platform/services/sysv.ts';
import { serviceName } from './layout.ts';
import { type InitSystem, initSystems, rotationFile, serviceFile } from './service-files.ts';
import type { InstallTree } from './tree.ts';
import type { Undo } from './undo.ts';

/** The service manager of that name, or the one that runs here. */
export async function findServiceManager(
  platform: Platform,
  init: InitSystem | undefined,
): Promise<ServiceManager> {
  const found =
    init === undefined ? await detectServiceManager(platform) : managerOf(platform, init);
  if (found === undefined || initOf(found) === undefined)
    throw new AgentError('AGENT_INSTALL_SERVICE_MANAGER');
  return found;
}

function managerOf(platform: Platform, init: InitSystem): ServiceManager {
  const scripts = new SysvManager(platform);
  switch (init) {
    case 'systemd':
      return new SystemdManager(platform);
    case 'openrc':
      return new OpenrcManager(platform);
    case 'sysv':
      return scripts;
    case 'runit':
      return new RunitManager(platform, scripts);
  }
}

export function initOf({ name }: ServiceManager): InitSystem | undefined {
  return initSystems.find((known) => known === name);
}

/** Writes the service's file and has it start at every boot. True when it was another one before. */
export async function enableService(
  platform: Platform,
  manager: ServiceManager,
  tree: InstallTree,
  undo: Undo,
): Promise<boolean> {
  const init = initOf(manager)!;
  const { path, text, mode } = serviceFile(init);
  const before = await manager.status(serviceName);
  await tree.directory(path.slice(0, path.lastIndexOf('/')));
  const changed = await tree.text(path, text, mode);
  if (init !== 'systemd' && (await tree.isDirectory('/etc/logrotate.d')))
    await tree.text(rotationFile.path, rotationFile.text, rotationFile.mode);
  if (!before.exists) undo.push(() => forgetService(platform, manager, false));
  if (changed) await act(manager, 'reread');
  const { boot } = await manager.status(serviceName);
  if (boot === 'masked') await act(manager, 'unmask');
  if (boot !== 'enabled') await act(manager, 'enable');
  return changed;
}

/** Starts the service; one that runs is started anew when `changed`. */
export async function startService(manager: ServiceManager, changed: boolean): Promise<void> {
  const { activity } = await manager.status(serviceName);
  if (activity !== 'running') await act(manager, 'start');
  else if (changed) await act(manager, 'restart');
}

/**
 * Stops the service, takes it from the boot and removes its files. `whole`: also what the init
 * system made of them. Nothing there is no error.
 */
export async function forgetService(
  platform: Platform,
  manager: ServiceManager,
  whole: boolean,
): Promise<void> {
  const init = initOf(manager)!;
  const status = await manager.status(serviceName);
  if (status.exists) {
    if (status.activity !== 'stopped') await act(manager, 'stop');
    if (status.boot === 'enabled') await act(manager, 'disable');
  }
  const { path } = serviceFile(init);
  await removeFile(platform, path);
  await removeFile(platform, rotationFile.path);
  if (init === 'systemd') {
    await runQuietly(platform, ['systemctl', 'daemon-reload']);
    await runQuietly(platform, ['systemctl', 'reset-failed', `${serviceName}.service`]);
    const dropIns = await platform.paths.resolve(`${path}.d`);
    if (whole) await platform.files.removeTree(dropIns);
  }
  if (init === 'sysv') {
    await runQuietly(platform, ['update-rc.d', '-f', serviceName, 'remove']);
    await runQuietly(platform, ['chkconfig', '--del', serviceName]);
  }
  if (init === 'runit') await forgetRunit(platform);
}

async function forgetRunit(platform: Platform): Promise<void> {
  for (const directory of ['/run/runit/service', '/var/service', '/etc/service'])
    await removeFile(platform, `${directory}/${serviceName}`);
  await platform.files.removeTree(await platform.paths.resolve(`/etc/sv/${serviceName}`));
}

async function removeFile(platform: Platform, path: string): Promise<void> {
  await platform.files.removeFile(await platform.paths.resolve(path));
}

async function act(manager: ServiceManager, what: Parameters<ServiceManager['act']>[0]) {
  await manager.act(what, await manager.status(serviceName));
}

/** A tool that this machine need not have, and whose complaint would change nothing. */
async function runQuietly(platform: Platform, argv: readonly [string, ...string[]]): Promise<void> {
  const timeoutMs = 60_000;
  await platform.processes.run({ argv, timeoutMs }).catch(() => undefined);
}
