import type { BundleDocument } from '../../agent/protocol/bundle.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import { pause } from '../publish/policy.ts';
import type { FleetFacts } from './choose.ts';
import { compareBundles } from './compare-bundles.ts';
import { joinExpectations } from './expectations.ts';
import type { FleetGroup } from './fleet-groups.ts';
import type { Traits } from './known-node.ts';
import type { PlannedGroup } from './messages.ts';

/** Envoys of one group, and of all groups, whose traits are looked at. */
const evaluatedPerGroup = 20;
const evaluatedLimit = 400;
const hostnamesShown = 5;

export interface PlannedGroupDetail {
  readonly planned: PlannedGroup;
  /** Every resource of the candidate: what is expected of it, or -1. */
  readonly expected: readonly {
    readonly id: string;
    readonly type: string;
    readonly action: number;
  }[];
}

export interface PlannerParts {
  readonly facts: FleetFacts;
  readonly ports: Ports;
  /** Hex root -> document. */
  readonly oldDocument: (root: string) => BundleDocument;
  readonly newDocument: (root: string) => BundleDocument;
}

/** What each group is to expect, by what the server knows. */
export async function planGroups(
  groups: readonly FleetGroup[],
  { facts, ports, oldDocument, newDocument }: PlannerParts,
): Promise<PlannedGroupDetail[]> {
  const details: PlannedGroupDetail[] = [];
  let left = evaluatedLimit;
  for (const { oldRoot, newRoot, members } of groups) {
    const comparison = compareBundles(oldDocument(oldRoot), newDocument(newRoot));
    const chosen = members.slice(0, Math.min(evaluatedPerGroup, left));
    left -= chosen.length;
    const known = await facts.traits(chosen.map(({ envoyId }) => envoyId));
    const nodes = [];
    for (const { traitsJson } of known) {
      nodes.push(await comparison.forNode(JSON.parse(traitsJson) as Traits));
      await pause(ports);
    }
    if (nodes.length === 0) nodes.push(await comparison.forNode(undefined));
    const { resources, unchanged, omitted, actions } = joinExpectations(nodes);
    const planned: PlannedGroup = {
      oldRoot,
      newRoot,
      envoys: members.length,
      hostnames: members.slice(0, hostnamesShown).map(({ hostname }) => hostname),
      evaluated: known.length,
      resources,
      unchanged,
      omitted,
    };
    const expected = comparison.resources.map(({ id, type }) => ({
      id,
      type,
      action: actions.get(id) ?? -1,
    }));
    details.push({ planned, expected });
  }
  return details;
}
