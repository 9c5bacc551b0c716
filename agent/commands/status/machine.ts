import type { StateFiles } from '../../offline/state-files.ts';
import { valueAt } from '../../policy/when/known.ts';
import type { PolicyValue } from '../../protocol/bundle.ts';
import { toldTraitsFileName } from '../../traits/told-traits.ts';
import { isMap, type TraitMap } from '../../traits/values.ts';
import type { MachineStatus } from './document.ts';

const bytesPerMebibyte = 1024 * 1024;

/** The traits that the server was told last, as they lie on disk; undefined before the first time. */
export async function storedTraits(
  files: StateFiles,
): Promise<{ readonly atMs: number; readonly traits: TraitMap } | undefined> {
  const content = await files.read(toldTraitsFileName);
  if (content === undefined) return undefined;
  try {
    const kept = JSON.parse(new TextDecoder().decode(content)) as PolicyValue;
    if (!isMap(kept) || typeof kept.atMs !== 'number' || !isMap(kept.traits)) return undefined;
    return { atMs: kept.atMs, traits: kept.traits };
  } catch {
    return undefined;
  }
}

/** The machine in short. */
export async function machineStatus(
  files: StateFiles,
): Promise<{ readonly machine?: MachineStatus }> {
  const stored = await storedTraits(files);
  if (stored === undefined) return {};
  const { atMs, traits } = stored;
  const text = (path: string): string | undefined => {
    const value = valueAt(traits, path);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const number = (path: string): number | undefined => {
    const value = valueAt(traits, path);
    return typeof value === 'number' ? value : undefined;
  };
  const memory = number('hardware.memory_mb');
  const facts = {
    hostname: text('network.hostname'),
    os: [text('os.distro'), text('os.version')].filter((one) => one !== undefined).join(' '),
    kernel: text('kernel.release'),
    processors: number('hardware.cpu_count'),
    memoryBytes: memory === undefined ? undefined : memory * bytesPerMebibyte,
  };
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
  return { machine: { ...Object.fromEntries(known), collectedAtMs: atMs } };
}
