import { AgentError } from '../errors.ts';
import type { Platform } from '../platform/platform.ts';
import {
  commandLink,
  commandTarget,
  currentLink,
  programDirectory,
  versionDirectory,
  versionPattern,
} from './layout.ts';
import type { InstallTree } from './tree.ts';

export interface ProgramFile {
  /** The running program: an absolute path with links resolved. */
  readonly file: string;
  readonly version: string;
}

/** Puts the program at its place and names it the current one. True when anything changed. */
export async function placeProgram(
  platform: Platform,
  tree: InstallTree,
  { file, version }: ProgramFile,
): Promise<boolean> {
  const occupied = await tree.kind(commandLink);
  if (occupied !== undefined && occupied !== 'symlink')
    throw new AgentError('AGENT_INSTALL_OCCUPIED', commandLink);
  const directory = versionDirectory(version);
  const path = `${directory}/vigo`;
  await tree.directory(directory);
  const here = (await tree.resolve(path)) === file;
  if (!here) await tree.program(file, path);
  const named = await tree.link(currentLink, version);
  await tree.directory(commandLink.slice(0, commandLink.lastIndexOf('/')));
  const linked = await tree.link(commandLink, commandTarget);
  await platform.files.removeTemporaries(await tree.resolve(programDirectory));
  return !here || named || linked;
}

/** After all went well: the versions that neither run nor are named any more, and leftovers. */
export async function removeOldVersions(
  platform: Platform,
  kept: readonly string[],
): Promise<readonly string[]> {
  const real = await platform.paths.resolve(programDirectory);
  const removed: string[] = [];
  for (const name of await platform.files.list(real)) {
    if (kept.includes(name)) await platform.files.removeTemporaries(`${real}/${name}`);
    else if (versionPattern.test(name)) {
      await platform.files.removeTree(`${real}/${name}`);
      removed.push(name);
    }
  }
  return removed;
}

/** The version that `current` names; undefined when there is none. */
export async function currentVersion(platform: Platform): Promise<string | undefined> {
  const real = await platform.paths.resolve(currentLink);
  if ((await platform.files.status(real))?.kind !== 'symlink') return undefined;
  return platform.files.readLink(real);
}
