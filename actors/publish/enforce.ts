import { toHex } from '../../agent/protocol/bytes.ts';
import {
  type CurrentPolicy,
  type GenerationRow,
  generationKey,
  generationLimit,
} from '../policy/tables.ts';
import { isUnderWay } from '../rollout/state.ts';
import type { PublishContext } from './context.ts';
import type { Policy } from './policy.ts';
import type { PublishState } from './state.ts';
import { type PolicyRows, writerAddress } from './writer.ts';

/** Rows that one turn commits. */
export const turnRowLimit = 5000;
const writerDeadlineMs = 60_000;

/** The row that shards read, made of the state and nothing else. */
export function currentPolicy(state: PublishState): CurrentPolicy {
  const { live, revision, rollout } = state;
  const { version, publishedAtMs, generation } = live;
  const row = { version, publishedAtMs, revision, generation };
  if (!isUnderWay(rollout) || rollout.stage === rollout.stages.length - 1) return row;
  const exposure = { ...rollout.exposure, generation: rollout.toGeneration };
  return { ...row, generation: rollout.fromGeneration, exposure };
}

/** Writes what a generation needs beside the current row; nobody is touched by it yet. */
export async function stageGeneration(
  { turn, options }: PublishContext,
  generation: number,
  policy: Policy,
  assignments: PolicyRows['assignments'],
): Promise<void> {
  const { tables } = options;
  const none: PolicyRows = { bundles: [], generations: [], assignments: [] };
  const bundles = [...policy.bundles].filter(
    ([hex]) => turn.store.get(tables.bundles, hex) === undefined,
  );
  const write = (rows: Partial<PolicyRows>) =>
    turn.ask(writerAddress(), 'write', { ...none, ...rows }, writerDeadlineMs);
  // Documents first: a generation must never name one that is not there.
  for (let start = 0; start < bundles.length; start += turnRowLimit) {
    await write({ bundles: bundles.slice(start, start + turnRowLimit) });
  }
  await write({ generations: [[generation, policy.generation]] });
  await writeGroups({ turn }, assignments);
}

/** Envoys' groups, in batches. */
export async function writeGroups(
  { turn }: Pick<PublishContext, 'turn'>,
  rows: PolicyRows['assignments'],
): Promise<void> {
  for (let start = 0; start < rows.length; start += turnRowLimit) {
    const assignments = rows.slice(start, start + turnRowLimit);
    const payload = { bundles: [], generations: [], assignments };
    await turn.ask(writerAddress(), 'write', payload, writerDeadlineMs);
  }
}

/** Makes the state the policy in force when the turn commits, and forgets what nothing needs any more. */
export function enforce({ turn, options }: PublishContext, state: PublishState): void {
  const { tables } = options;
  turn.put(tables.current, 'current', currentPolicy(state));
  if (state.rollout !== undefined) turn.put(tables.rollout, 'current', state.rollout);
  const needed = new Set([state.live.generation, state.previous?.generation]);
  const kept = new Set<string>();
  const outdated: (readonly [string, GenerationRow])[] = [];
  for (const [key, row] of turn.store.range(tables.generations, { limit: generationLimit })) {
    if (needed.has(Number(key))) for (const hex of hexRoots(row)) kept.add(hex);
    else outdated.push([key, row]);
  }
  let removed = 0;
  for (const [key, row] of outdated) {
    const roots = [...hexRoots(row)].filter((hex) => !kept.has(hex));
    // Whole, or not yet: without its row nobody would find the rest.
    if (removed > 0 && removed + roots.length > turnRowLimit) continue;
    for (const hex of roots) turn.remove(tables.bundles, hex);
    turn.remove(tables.generations, key);
    removed += roots.length;
  }
  for (const generation of turn.state.matchers.keys()) {
    if (!needed.has(generation)) turn.state.matchers.delete(generation);
  }
  turn.replyAfter('durable');
}

export function generationOf(
  { turn, options }: PublishContext,
  generation: number,
  stackHash: string,
): GenerationRow | undefined {
  const row = turn.store.get(options.tables.generations, generationKey(generation));
  return row?.stackHash === stackHash ? row : undefined;
}

function hexRoots(row: GenerationRow): Set<string> {
  return new Set([...row.groups.map(({ root }) => toHex(root)), toHex(row.emptyRoot)]);
}
