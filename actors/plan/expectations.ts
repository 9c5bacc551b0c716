import { ResourceAction } from '../../agent/protocol/gen/vigo/v1/agent.ts';
import type { ExpectedResource } from './compare-bundles.ts';
import { type PlannedChange, type PlannedResource, planResourceLimit } from './messages.ts';

/** Parameter changes of one row that a plan keeps. */
const parameterLimit = 100;

/** What the server expects of a group: rows for people, and actions to be scored. */
export interface GroupExpectation {
  readonly resources: readonly PlannedResource[];
  readonly unchanged: number;
  readonly omitted: number;
  /** Resource id -> ResourceAction; -1: not known. */
  readonly actions: ReadonlyMap<string, number>;
}

/**
 * Of a new resource the server cannot say whether the node has it already, so nothing is predicted of
 * its action; people still want to see it as one to create.
 */
const predictable: Partial<Record<PlannedChange, number>> = {
  none: ResourceAction.RESOURCE_ACTION_NONE,
  skip: ResourceAction.RESOURCE_ACTION_SKIPPED,
  update: ResourceAction.RESOURCE_ACTION_UPDATED,
  trigger: ResourceAction.RESOURCE_ACTION_UPDATED,
};

/** Joins what is expected on several nodes of one group; rows that say the same become one. */
export function joinExpectations(
  nodes: readonly (readonly ExpectedResource[])[],
): GroupExpectation {
  const rows = new Map<string, PlannedResource>();
  const actions = new Map<string, number>();
  let unchanged = 0;
  for (const [index, node] of nodes.entries())
    for (const one of node) {
      if (one.change !== 'unmanage') noteAction(actions, one);
      if (one.change === 'none') {
        if (index === 0) unchanged += 1;
        continue;
      }
      const parameters = one.parameters.slice(0, parameterLimit);
      const key = `${one.id}\0${one.change}\0${JSON.stringify(parameters)}`;
      const envoys = (rows.get(key)?.envoys ?? 0) + 1;
      rows.set(key, { ...one, parameters, envoys });
    }
  const all = [...rows.values()];
  const resources = all.slice(0, planResourceLimit);
  return { resources, unchanged, omitted: all.length - resources.length, actions };
}

function noteAction(actions: Map<string, number>, { id, type, change, reason }: ExpectedResource) {
  const waiting = change === 'none' && reason === 'not triggered';
  // Commands run whenever their guards let them; only the node can tell.
  const known = type === 'exec' && change !== 'skip' ? undefined : predictable[change];
  const action = waiting ? ResourceAction.RESOURCE_ACTION_SKIPPED : (known ?? -1);
  const before = actions.get(id);
  actions.set(id, before === undefined || before === action ? action : -1);
}
