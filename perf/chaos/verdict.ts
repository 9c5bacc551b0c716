import type { RunDetailView } from '../../actors/sink/query-rows.ts';
import type { HostResource } from '../mixed/description.ts';
import { vigoId } from '../mixed/vigo-policy.ts';
import type { Drift, Trouble } from './chaotic-host.ts';

/**
 * Beyond an interval and the pass itself: the check-in before a pass, and how late the watch from
 * outside may see a repair.
 */
const graceMs = 1500;
const changes = new Set(['created', 'updated', 'deleted']);

/** What was done to a host. */
export interface Ordeal {
  readonly name: string;
  readonly drifts: readonly Drift[];
  readonly troubles: readonly Trouble[];
  /** By name. */
  readonly resources: ReadonlyMap<string, HostResource>;
}

interface Change {
  readonly run: RunDetailView;
  readonly id: string;
  readonly action: string;
  readonly reason: string;
}

export interface HostVerdict {
  readonly drifts: number;
  readonly troubles: Readonly<Record<string, number>>;
  /** From when it could be repaired until it was, ascending. */
  readonly repairMs: readonly number[];
  readonly late: readonly string[];
  readonly unrepaired: readonly string[];
  /** Changes that the agent told although nobody had touched the resource. */
  readonly falseChanges: readonly string[];
  /** Repairs that the history lacks. */
  readonly untold: readonly string[];
  /** Repairs that the history lacks because the agent died, or the boot made them, in that moment. */
  readonly untoldInterrupted: number;
  readonly runs: number;
  /** Numbers of reports that are missing or came twice. */
  readonly sequenceGaps: readonly string[];
  readonly incidents: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
}

/** `runs`: those of the host after it had converged, oldest first; `before`: the last report before. */
export function judgeHost(
  host: Ordeal,
  runs: readonly RunDetailView[],
  before: number,
  intervalMs: number,
): HostVerdict {
  const { drifts, troubles } = host;
  const told = changesOf(runs);
  const causes = matchChanges(host, told);
  const done = drifts.filter(({ repairedMs }) => repairedMs !== undefined);
  const untold = done.filter((drift) => !causes.matched.has(drift));
  const interrupted = (drift: Drift) => troubles.some((trouble) => interrupts(trouble, drift));
  const late = done.filter((drift) => {
    const passMs = causes.matched.get(drift)?.run.durationMs ?? 0;
    return repairTime(drift, troubles) > intervalMs + passMs + graceMs;
  });
  return {
    drifts: drifts.length,
    troubles: countBy(troubles.map(({ kind }) => kind)),
    repairMs: done.map((drift) => repairTime(drift, troubles)).sort((a, b) => a - b),
    late: late.map((drift) => describe(host, drift, troubles)),
    unrepaired: drifts
      .filter(({ repairedMs }) => repairedMs === undefined)
      .map((drift) => describe(host, drift, troubles)),
    falseChanges: causes.unexplained.map((change) => describeChange(host, change)),
    untold: untold
      .filter((drift) => !interrupted(drift))
      .map((one) => describe(host, one, troubles)),
    untoldInterrupted: untold.filter(interrupted).length,
    runs: runs.length,
    sequenceGaps: gaps(runs, before).map((text) => `${host.name}: ${text}`),
    incidents: countBy(runs.flatMap(({ incidents }) => incidents.map(({ code }) => code))),
    failures: countBy(
      runs.flatMap(({ results }) =>
        results.filter(({ errorCode }) => errorCode !== '').map(({ errorCode }) => errorCode),
      ),
    ),
  };
}

function changesOf(runs: readonly RunDetailView[]): readonly Change[] {
  return runs.flatMap((run) =>
    run.results
      .filter(({ action }) => changes.has(action))
      .map(({ id, action, reason }) => ({ run, id, action, reason })),
  );
}

/** Each drift explains one change, and those of passes that ran while it was being made. */
function matchChanges({ drifts, resources }: Ordeal, told: readonly Change[]) {
  const matched = new Map<Drift, Change>();
  const unexplained: Change[] = [];
  const byId = new Map<string, Drift[]>();
  for (const drift of drifts) {
    const id = vigoId(resources.get(drift.resource)!);
    byId.set(id, [...(byId.get(id) ?? []), drift]);
  }
  for (const change of told) {
    const endMs = change.run.startedAtMs + change.run.durationMs;
    const begun = (byId.get(change.id) ?? []).filter(({ beganMs }) => beganMs <= endMs);
    const during = begun.find(
      (drift) => change.run.startedAtMs <= (drift.madeMs || endMs) && matched.has(drift),
    );
    const fresh = begun.find(
      (drift) =>
        !matched.has(drift) &&
        change.run.startedAtMs <= (drift.repairedMs ?? Number.POSITIVE_INFINITY),
    );
    if (fresh !== undefined) matched.set(fresh, change);
    else if (during === undefined) unexplained.push(change);
  }
  return { matched, unexplained };
}

/** From when nothing stood in the way any more. */
function repairTime(drift: Drift, troubles: readonly Trouble[]): number {
  const obstacles = troubles.filter(
    ({ kind, beganMs, endedMs }) =>
      (kind === 'rebooted' || kind === 'disk full') &&
      endedMs >= drift.madeMs &&
      beganMs <= drift.repairedMs!,
  );
  const possibleMs = Math.max(drift.madeMs, ...obstacles.map(({ endedMs }) => endedMs));
  return Math.max(0, drift.repairedMs! - possibleMs);
}

const deathMs = 2000;

/** The agent that had repaired it died before it could tell, or the machine's boot repaired it. */
function interrupts({ kind, beganMs, endedMs }: Trouble, drift: Drift): boolean {
  if (kind !== 'agent killed' && kind !== 'rebooted') return false;
  return beganMs <= drift.repairedMs! + deathMs && endedMs + deathMs >= drift.beganMs;
}

function gaps(runs: readonly RunDetailView[], before: number): readonly string[] {
  const found: string[] = [];
  runs.forEach(({ reportSequence }, index) => {
    const expected = before + 1 + index;
    if (reportSequence !== expected) found.push(`report ${reportSequence}, not ${expected}`);
  });
  return found.slice(0, 5);
}

function describe(host: Ordeal, drift: Drift, troubles: readonly Trouble[]): string {
  const { resource, what, madeMs, repairedMs } = drift;
  const took = repairedMs === undefined ? 'not repaired' : `${repairTime(drift, troubles)} ms`;
  const near = troubles
    .filter(({ endedMs, beganMs }) => endedMs >= madeMs - 30_000 && beganMs <= madeMs + 30_000)
    .map(({ kind }) => kind);
  const at = new Date(madeMs).toISOString().slice(11, 19);
  const beside = near.length === 0 ? '' : `; near: ${near.join(', ')}`;
  return `${host.name} ${at} ${resource}: ${what}: ${took}${beside}`;
}

function describeChange(host: Ordeal, { run, id, action, reason }: Change): string {
  const at = new Date(run.startedAtMs).toISOString().slice(11, 19);
  return `${host.name} ${at} ${action} ${id}: ${reason}`;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
