import { noGroup } from '../policy/tables.ts';
import { rolloutAddress } from '../rollout/messages.ts';
import { isUnderWay } from '../rollout/state.ts';
import type { PublishContext } from './context.ts';
import { enforce, generationOf, stageGeneration, writeGroups } from './enforce.ts';
import { groupMatcher, regroup, regroupFleet } from './groups.ts';
import { compilePolicy, emptyRoot } from './policy.ts';
import type { LiveVersion, PublishState } from './state.ts';
import { flush } from './transition.ts';

/** Makes the store say what the state file says, when it does not: after a crash, or when it was lost. */
export async function bringUpToDate(
  context: PublishContext,
  state: PublishState,
): Promise<{ rebuilt: boolean }> {
  const { turn, options } = context;
  const { tables } = options;
  const { live, previous } = state;
  const current = turn.store.get(tables.current, 'current');
  if (live.version === 0) return { rebuilt: false };
  if (current?.revision === state.revision && current.version === live.version) {
    return { rebuilt: false };
  }
  const generations = [live, ...(previous === undefined ? [] : [previous])];
  generations.sort((a, b) => a.generation - b.generation);
  for (const version of generations) {
    const needed = version === live || isUnderWay(state.rollout);
    await restoreGeneration(context, version).catch((error: unknown) => {
      // The version before the live one is only a shorter way back.
      if (needed) throw error;
    });
  }
  await restoreGroups(context, generations);
  enforce(context, state);
  return { rebuilt: true };
}

/** At the start: also what the database has not acknowledged, and a rollout that was under way. */
export async function recover(
  context: PublishContext,
  state: PublishState,
): Promise<{ version: number; rebuilt: boolean }> {
  const { rebuilt } = await bringUpToDate(context, state);
  await flush(context, state);
  if (isUnderWay(state.rollout)) context.turn.tell(rolloutAddress(), 'watch', {});
  return { version: state.live.version, rebuilt };
}

async function restoreGeneration(context: PublishContext, version: LiveVersion): Promise<void> {
  const { stackHash, generation } = version;
  if (generationOf(context, generation, stackHash) !== undefined) return;
  const policy = await compilePolicy(await context.copies.read(stackHash), context.tools);
  await stageGeneration(context, generation, policy, []);
}

async function restoreGroups(
  context: PublishContext,
  generations: readonly LiveVersion[],
): Promise<void> {
  const { turn, options, tools } = context;
  const rows = generations.flatMap(({ generation: number, stackHash }) => {
    const row = generationOf(context, number, stackHash);
    return row === undefined ? [] : [{ number, row }];
  });
  const next = rows.at(-1);
  if (next === undefined) return;
  const [now] = rows.length > 1 ? rows : [];
  const fleet = await regroupFleet(turn.store, options.tables, tools.ports, {
    ...(now === undefined ? {} : { now }),
    next,
  });
  await writeGroups(context, fleet.rows);
}

/** The group of a new or renamed envoy, for the live version and for the one before it. */
export function assign(
  context: PublishContext,
  { live, previous }: PublishState,
  { envoyId, hostname }: { readonly envoyId: string; readonly hostname: string },
): { bundleRoot: Uint8Array } {
  const { turn, options } = context;
  const { tables } = options;
  const places = [live, ...(previous === undefined ? [] : [previous])]
    .sort((a, b) => a.generation - b.generation)
    .flatMap(({ generation, stackHash }) => {
      const row = generationOf(context, generation, stackHash);
      if (row === undefined) return [];
      const known = turn.state.matchers.get(generation);
      const match = known ?? groupMatcher(row);
      turn.state.matchers.set(generation, match);
      return [{ generation, row, group: match(hostname) }];
    });
  turn.replyAfter('durable');
  const [older, newer = older] = places;
  if (older === undefined || newer === undefined) {
    turn.put(tables.assignments, envoyId, { group: noGroup, since: 0 });
    return { bundleRoot: emptyRoot(context.tools) };
  }
  const row = regroup(undefined, older, newer);
  if (row !== undefined) turn.put(tables.assignments, envoyId, row);
  const inForce = places.find(({ generation }) => generation === live.generation) ?? newer;
  const group = inForce.row.groups.find(({ key }) => key === inForce.group);
  return { bundleRoot: group?.root ?? inForce.row.emptyRoot };
}
