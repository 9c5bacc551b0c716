import { dirname } from '../../converge/path-text.ts';
import type { ArchiveEntry } from '../../platform/archive/entries.ts';
import type { Platform } from '../../platform/platform.ts';
import type { OwnerIds } from './ownership.ts';

const directoryMode = 0o755;

/** Writes the entries of a checked archive below a new directory (real path), modes and owners too. */
export async function writeTree(
  top: string,
  entries: readonly ArchiveEntry[],
  ids: OwnerIds,
  { files, host }: Platform,
): Promise<void> {
  const owner = {
    ...(ids.uid === undefined ? {} : { uid: ids.uid }),
    ...(ids.gid === undefined ? {} : { gid: ids.gid }),
  };
  const owns = ids.uid !== undefined || ids.gid !== undefined;
  const chown = async (path: string) => {
    if (owns) await files.setOwner(path, ids.uid ?? host.effectiveUid, ids.gid ?? 0);
  };
  const made = new Set([top]);
  const modes = new Map<string, number>();
  async function makeAbove(path: string): Promise<void> {
    if (made.has(path)) return;
    await makeAbove(dirname(path));
    await files.makeDirectory(path, directoryMode);
    await chown(path);
    made.add(path);
  }
  for (const entry of entries) {
    const path = `${top}/${entry.path}`;
    await makeAbove(entry.kind === 'directory' ? path : dirname(path));
    if (entry.kind === 'directory') modes.set(path, entry.mode);
    else if (entry.kind === 'file')
      await files.writeAtomic(path, entry.bytes, { mode: entry.mode, ...owner });
    else {
      await files.symbolicLink(entry.target, path);
      await chown(path);
    }
  }
  // At the end, since nothing can be written into a directory that is read-only.
  for (const [path, mode] of modes) if (mode !== directoryMode) await files.setMode(path, mode);
}
