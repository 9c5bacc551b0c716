import type { Platform } from '../../platform/platform.ts';
import { makeDirectories } from './places.ts';

/**
 * A note that a file was changed and its reader was not told yet. It is made before the change and
 * removed after the telling, so that an agent killed in between tells it in its next pass. It lies in
 * /run: a reboot forgets it, and after a reboot every reader has read anew. It is a directory, since
 * one comes and goes in a single step.
 */
export interface Pending {
  /** Real path of the note. */
  readonly path: string;
  readonly exists: boolean;
}

const directory = '/run/vigo-pending';

/** `name` says what is to be told; it becomes part of a file name. */
export async function observePending(name: string, platform: Platform): Promise<Pending> {
  const safe = name.replace(/[^A-Za-z0-9_.@-]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  const path = await platform.paths.resolve(`${directory}/${safe}`);
  return { path, exists: (await platform.files.status(path)) !== undefined };
}

/** Runs `change`, then `tell`, so that `tell` is never left out. */
export async function changeAndTell(
  pending: Pending,
  platform: Platform,
  change: () => Promise<void>,
  tell: () => Promise<void>,
): Promise<void> {
  if (!pending.exists) {
    await makeDirectories(await platform.paths.resolve(directory), platform);
    await platform.files.makeDirectory(pending.path, 0o700);
  }
  await change();
  await tell();
  await platform.files.removeEmptyDirectory(pending.path);
}
