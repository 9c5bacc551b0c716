import type { Platform } from '../platform/platform.ts';
import { commandLink, commandTarget, logFile, pidFile, programDirectory } from './layout.ts';
import { motdBanner, profileBanner } from './login-banner.ts';
import { findServiceManager, forgetService } from './service.ts';
import { initSystems, serviceFile } from './service-files.ts';

export interface Removal {
  /** Absolute paths of the settings and of the state. */
  readonly configDirectory: string;
  readonly stateDirectory: string;
  /** Leaves both of them. */
  readonly keepState: boolean;
}

/** Rotated copies of a log file that are looked for. */
const rotationLimit = 50;

/**
 * Takes the agent away: service, program, links, log and, unless told otherwise, identity and state.
 * Resolves to what was there and is gone. A second call finds nothing and is no error.
 */
export async function uninstallAgent(
  platform: Platform,
  { configDirectory, stateDirectory, keepState }: Removal,
): Promise<readonly string[]> {
  const removed: string[] = [];
  // Whichever init system it was installed for, not only the one that runs now.
  for (const init of initSystems) {
    const { path } = serviceFile(init);
    const manager = await findServiceManager(platform, init);
    if (!(await there(platform, path)) || !(await isOf(platform, init))) continue;
    await forgetService(platform, manager, true);
    removed.push(path);
  }
  const link = await platform.paths.resolve(commandLink);
  const ours =
    (await platform.files.status(link))?.kind === 'symlink' &&
    (await platform.files.readLink(link)) === commandTarget;
  if (ours) {
    await platform.files.removeFile(link);
    removed.push(commandLink);
  }
  const kept = keepState ? [] : [stateDirectory, configDirectory];
  const banners = [motdBanner.path, profileBanner.path];
  for (const path of [
    programDirectory,
    ...kept,
    ...banners,
    pidFile,
    ...(await logFiles(platform)),
  ]) {
    if (!(await there(platform, path))) continue;
    await platform.files.removeTree(await platform.paths.resolve(path));
    removed.push(path);
  }
  return removed;
}

/** OpenRC's and SysV's scripts have the same place: the text tells whose it is. */
async function isOf(platform: Platform, init: (typeof initSystems)[number]): Promise<boolean> {
  if (init !== 'openrc' && init !== 'sysv') return true;
  const path = await platform.paths.resolve(serviceFile(init).path);
  const text = new TextDecoder().decode(await platform.files.read(path));
  return text.startsWith('#!/sbin/openrc-run') === (init === 'openrc');
}

async function logFiles(platform: Platform): Promise<readonly string[]> {
  const directory = logFile.slice(0, logFile.lastIndexOf('/'));
  const real = await platform.paths.resolve(directory, { followLast: true });
  if ((await platform.files.status(real))?.kind !== 'directory') return [];
  const name = logFile.slice(directory.length + 1);
  return (await platform.files.list(real))
    .filter((found) => found === name || found.startsWith(`${name}.`))
    .slice(0, rotationLimit)
    .map((found) => `${directory}/${found}`);
}

async function there(platform: Platform, path: string): Promise<boolean> {
  return (await platform.files.status(await platform.paths.resolve(path))) !== undefined;
}
