import type { Snapshots } from '../converge/snapshots.ts';
import type { Files } from '../platform/platform.ts';
import type { Redactor } from './redactor.ts';
import type { SecretPlaces } from './secret-places.ts';

/** A larger file is not searched, and then not kept while there are secrets. */
const searchedBytesLimit = 8 * 1024 * 1024;

/** Snapshots of everything but files that hold, or once got, a secret: a copy would outlive it. */
export function guardedSnapshots(
  snapshots: Snapshots,
  guard: { readonly files: Files; readonly redactor: Redactor; readonly places: SecretPlaces },
): Snapshots {
  const { files, redactor, places } = guard;
  return {
    keep: async (path) => {
      if (await places.has(path)) return;
      if (redactor.isEmpty) return await snapshots.keep(path);
      const status = await files.status(path);
      if (status?.kind !== 'file' || status.size > searchedBytesLimit) return;
      if (redactor.finds(new TextDecoder().decode(await files.read(path)))) return;
      await snapshots.keep(path);
    },
  };
}
