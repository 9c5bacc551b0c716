import { decodeChecked, encodeChecked } from '../offline/checked-file.ts';
import type { StateFiles } from '../offline/state-files.ts';

const fileName = 'secret-places';
/** Paths remembered; beyond it every path counts as one. */
export const secretPlacesLimit = 10_000;

/**
 * Which files of the node got a secret from this agent: paths, no values. Their content is neither
 * shown nor kept as a snapshot, also after the policy or the agent has forgotten the secret.
 */
export interface SecretPlaces {
  has(path: string): Promise<boolean>;
  /** Durable when it resolves. */
  add(paths: readonly string[]): Promise<void>;
}

/** For an engine without a state directory. */
export const noSecretPlaces: SecretPlaces = {
  has: async () => false,
  add: async () => undefined,
};

/** Places in a state file. An unreadable one counts as "everywhere" until it is written anew. */
export function createSecretPlaces(files: StateFiles): SecretPlaces {
  let loaded: Promise<{ paths: Set<string>; everywhere: boolean }> | undefined;
  const load = () => {
    loaded ??= read(files);
    return loaded;
  };
  const save = async (paths: ReadonlySet<string>, everywhere: boolean) => {
    const text = JSON.stringify({ everywhere, paths: [...paths].sort() });
    await files.replace(fileName, encodeChecked(new TextEncoder().encode(text)));
  };
  return {
    has: async (path) => {
      const { paths, everywhere } = await load();
      return everywhere || paths.has(path);
    },
    add: async (added) => {
      const known = await load();
      if (added.every((path) => known.paths.has(path))) return;
      for (const path of added) known.paths.add(path);
      if (known.paths.size > secretPlacesLimit) known.everywhere = true;
      await save(known.paths, known.everywhere);
    },
  };
}

async function read(files: StateFiles): Promise<{ paths: Set<string>; everywhere: boolean }> {
  const stored = await files.read(fileName);
  if (stored === undefined) return { paths: new Set(), everywhere: false };
  const content = decodeChecked(stored);
  if (content === undefined) return { paths: new Set(), everywhere: true };
  const parsed = JSON.parse(new TextDecoder().decode(content)) as {
    paths: string[];
    everywhere: boolean;
  };
  return { paths: new Set(parsed.paths), everywhere: parsed.everywhere };
}
