import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeDisk } from '../../../runtime/ports/node-disk.ts';
import { makeDirectory, readOptional } from '../home/files.ts';
import type { HomeLayout } from '../home/layout.ts';

/** In the directory of a restore; its presence says that everything is ready to be moved. */
const planName = 'swap.json';
const freshName = 'home';

export interface SwapPlan {
  /** Where what is replaced is kept; below `.replaced`. */
  readonly keptAs: string;
  /** Names directly below the home: what stood there, and what takes its place. */
  readonly moves: readonly {
    readonly name: string;
    readonly old: boolean;
    readonly fresh: boolean;
  }[];
}

/** Where a backup is unpacked before anything of the home is touched. */
export function freshDirectory({ restoreDirectory }: HomeLayout): string {
  return join(restoreDirectory, freshName);
}

/**
 * Replaces what the plan names. Its first write is the commit point of a restore: from there on it is
 * finished, also after a kill. `step` is called before each change.
 */
export async function swapHome(
  layout: HomeLayout,
  plan: SwapPlan,
  step: () => void = () => undefined,
): Promise<void> {
  step();
  const text = Buffer.from(JSON.stringify(plan));
  await nodeDisk().writeDurable(join(layout.restoreDirectory, planName), text);
  await finishSwap(layout, plan, step);
}

/**
 * Finishes a restore that a kill interrupted behind its commit point, and forgets one that did not get
 * that far. Returns which; undefined when there was none. Only under the home's lock.
 */
export async function resumeRestore(
  layout: HomeLayout,
): Promise<'finished' | 'forgotten' | undefined> {
  const text = await readOptional(join(layout.restoreDirectory, planName));
  if (text !== undefined) {
    await finishSwap(layout, JSON.parse(text) as SwapPlan, () => undefined);
    return 'finished';
  }
  const left = await readdir(layout.restoreDirectory).catch(() => undefined);
  if (left === undefined) return undefined;
  await rm(layout.restoreDirectory, { recursive: true, force: true });
  return 'forgotten';
}

/** Each move is done or not: what is not kept yet still stands where it stood. */
async function finishSwap(
  layout: HomeLayout,
  { keptAs, moves }: SwapPlan,
  step: () => void,
): Promise<void> {
  const disk = nodeDisk();
  const fresh = freshDirectory(layout);
  const kept = join(layout.replacedDirectory, keptAs);
  await makeDirectory(kept);
  for (const { name, old, fresh: hasFresh } of moves) {
    if (old && (await disk.inspect(join(kept, name))) === undefined) {
      step();
      await disk.rename(join(layout.root, name), join(kept, name));
    }
    if (hasFresh && (await disk.inspect(join(fresh, name))) !== undefined) {
      step();
      await disk.rename(join(fresh, name), join(layout.root, name));
    }
  }
  step();
  // The plan goes first: without it, what is left is forgotten and no longer moved.
  await disk.remove(join(layout.restoreDirectory, planName));
  await disk.remove(layout.restoreDirectory);
}
