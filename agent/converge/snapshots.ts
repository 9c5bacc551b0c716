import type { Files, Platform } from '../platform/platform.ts';
import { PlatformError } from '../platform/platform-error.ts';

/** Keeps what a file held before the agent overwrites or removes it. */
export interface Snapshots {
  /** `path` is a real path of a regular file; anything else is let pass. */
  keep(path: string): Promise<void>;
}

export interface SnapshotOptions {
  readonly platform: Platform;
  /** Real path; made on the first use. */
  readonly directory: string;
  /** Per file. Default 5. */
  readonly retention?: number;
}

export const defaultSnapshotRetention = 5;
/** A larger file is overwritten without a snapshot. */
export const snapshotBytesLimit = 64 * 1024 * 1024;
const snapshotName = /^\d{13}-\d{4}\.snapshot$/;

/** For a caller that keeps none. */
export const noSnapshots: Snapshots = { keep: async () => {} };

/**
 * Snapshots as files of mode 0600 in a tree like the managed one: the snapshots of /etc/motd stand in
 * `<directory>/etc/motd/`, named by time, so that an admin finds and copies them back by hand.
 */
export function createSnapshots(options: SnapshotOptions): Snapshots {
  const { platform, directory } = options;
  const retention = options.retention ?? defaultSnapshotRetention;
  return {
    keep: async (path) => {
      const status = await platform.files.status(path);
      if (retention === 0 || status?.kind !== 'file' || status.size > snapshotBytesLimit) return;
      const place = directory + path;
      await makeTree(platform.files, place);
      const names = (await platform.files.list(place)).filter((name) => snapshotName.test(name));
      await platform.files.copyFile(path, `${place}/${nextName(platform, names)}`, 0o600);
      for (const old of names.slice(0, Math.max(0, names.length + 1 - retention)))
        await platform.files.removeFile(`${place}/${old}`);
    },
  };
}

/** Rises even when the clock went back, so that the oldest is always the first by name. */
function nextName(platform: Platform, names: readonly string[]): string {
  const last = names.at(-1);
  const now = Math.max(platform.clock.nowMs(), last === undefined ? 0 : Number(last.slice(0, 13)));
  const time = String(now).padStart(13, '0');
  const count = names.filter((name) => name.startsWith(time)).at(-1);
  const next = count === undefined ? 0 : Number(count.slice(14, 18)) + 1;
  return `${time}-${String(next).padStart(4, '0')}.snapshot`;
}

async function makeTree(files: Files, path: string): Promise<void> {
  if ((await files.status(path)) !== undefined) return;
  await makeTree(files, path.slice(0, path.lastIndexOf('/')) || '/');
  try {
    await files.makeDirectory(path, 0o700);
  } catch (thrown) {
    if (!(thrown instanceof PlatformError) || thrown.code !== 'EEXIST') throw thrown;
  }
}
