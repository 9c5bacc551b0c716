import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { BundleDocument, BundleResource } from '../../agent/protocol/bundle.ts';
import type { Ports } from '../../runtime/ports/ports.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { noGroup, type PolicyTables } from '../policy/tables.ts';
import {
  type FileChange,
  type GroupChange,
  hostnameSampleLimit,
  type ResourceChange,
  type StackComparison,
} from './comparison.ts';
import { fleetMembers, groupMatcher } from './groups.ts';
import { type Policy, pause } from './policy.ts';
import type { StackFiles } from './stack/stack-files.ts';

/** Files, groups and resources that a comparison shows. */
export const comparisonLimit = 1000;
/** Characters of one unified diff. */
export const diffTextLimit = 65_536;
/** Lines inserted and deleted beyond which a diff is not worked out. */
const editLimit = 5000;

export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** Compares two compiled stacks, over the fleet as it is known. */
export async function comparePolicies(
  from: NamedPolicy,
  to: NamedPolicy,
  fleet: { readonly store: StoreReader; readonly tables: PolicyTables; readonly ports: Ports },
): Promise<StackComparison> {
  const files = fileChanges(from.policy.files, to.policy.files);
  const groups = await groupChanges(from.policy, to.policy, fleet);
  return {
    from: { name: from.name, contentHash: from.policy.stackHash },
    to: { name: to.name, contentHash: to.policy.stackHash },
    files: files.slice(0, comparisonLimit),
    groups: groups.slice(0, comparisonLimit),
    truncated: files.length > comparisonLimit || groups.length > comparisonLimit,
  };
}

function fileChanges(from: StackFiles, to: StackFiles): FileChange[] {
  const paths = [...new Set([...from.keys(), ...to.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    const before = from.get(path);
    const after = to.get(path);
    if (before === after) return [];
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return [{ path, change, diff: unifiedDiff(path, before ?? '', after ?? '') }];
  });
}

interface Pair {
  readonly from: number;
  readonly to: number;
  envoys: number;
  readonly hostnames: string[];
}

const nothing = -1;

/** Envoys are sorted by the entries that match them before and after; each pair is compared once. */
async function groupChanges(
  from: Policy,
  to: Policy,
  { store, tables, ports }: Parameters<typeof comparePolicies>[2],
): Promise<GroupChange[]> {
  const matchFrom = entryOf(from);
  const matchTo = entryOf(to);
  const pairs = new Map<string, Pair>();
  for await (const page of fleetMembers(store, tables, ports)) {
    for (const { hostname } of page) {
      const before = matchFrom(hostname);
      const after = matchTo(hostname);
      const key = `${before} ${after}`;
      const pair = pairs.get(key) ?? { from: before, to: after, envoys: 0, hostnames: [] };
      pairs.set(key, pair);
      pair.envoys += 1;
      if (pair.hostnames.length < hostnameSampleLimit) pair.hostnames.push(hostname);
    }
  }
  // Entries that no envoy has yet are compared as well: a new machine may come.
  for (const [index, { key }] of to.generation.groups.entries()) {
    const earlier = from.generation.groups.findIndex((group) => group.key === key);
    const name = `${earlier} ${index}`;
    if (!pairs.has(name)) pairs.set(name, { from: earlier, to: index, envoys: 0, hostnames: [] });
  }
  const changes: GroupChange[] = [];
  for (const pair of pairs.values()) {
    const resources = resourceChanges(from.documents[pair.from], to.documents[pair.to]);
    await pause(ports);
    if (resources.length === 0) continue;
    const { envoys, hostnames } = pair;
    const match = to.generation.groups[pair.to]?.match ?? [];
    changes.push({ match, envoys, hostnames, resources: resources.slice(0, comparisonLimit) });
  }
  return changes.sort((a, b) => b.envoys - a.envoys);
}

function entryOf({ generation }: Policy): (hostname: string) => number {
  const match = groupMatcher(generation);
  const indexes = new Map(generation.groups.map(({ key }, index) => [key, index]));
  return (hostname) => {
    const group = match(hostname);
    return group === noGroup ? nothing : (indexes.get(group) ?? nothing);
  };
}

interface Described {
  readonly type: string;
  readonly text: string;
}

function resourceChanges(
  from: BundleDocument | undefined,
  to: BundleDocument | undefined,
): ResourceChange[] {
  if (from === to) return [];
  const before = describe(from);
  const after = describe(to);
  const ids = [...new Set([...after.keys(), ...before.keys()])];
  return ids.flatMap((id): ResourceChange[] => {
    const old = before.get(id);
    const now = after.get(id);
    if (old?.text === now?.text) return [];
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
    const { type } = (now ?? old)!;
    return [{ id, type, change, diff: unifiedDiff(id, old?.text ?? '', now?.text ?? '') }];
  });
}

/** What each resource will do, as YAML; the module's condition and the template's text are part of it. */
function describe(document: BundleDocument | undefined): Map<string, Described> {
  const described = new Map<string, Described>();
  for (const module of document?.modules ?? []) {
    const { name, when, vars } = module;
    for (const resource of module.resources) {
      const text = resourceText(resource, { when, vars }, document?.templates ?? {});
      described.set(`${name}/${resource.name}`, { type: resource.type, text });
    }
  }
  return described;
}

function resourceText(
  { name: _name, ...resource }: BundleResource,
  module: { readonly when: string | undefined; readonly vars: unknown },
  templates: Readonly<Record<string, string>>,
): string {
  const { source } = resource.parameters;
  const template = typeof source === 'string' ? templates[source] : undefined;
  const usesVars = JSON.stringify([resource, template]).includes('.Vars');
  return stringify({
    ...resource,
    ...(module.when === undefined ? {} : { moduleWhen: module.when }),
    ...(usesVars ? { vars: module.vars } : {}),
    ...(template === undefined ? {} : { template }),
  });
}

function unifiedDiff(name: string, before: string, after: string): string {
  const options = { context: 3, maxEditLength: editLimit };
  const patch = createTwoFilesPatch(name, name, before, after, undefined, undefined, options);
  if (patch === undefined) return 'the texts differ in too many lines to show\n';
  const text = patch.slice(patch.indexOf('---'));
  return text.length <= diffTextLimit ? text : `${text.slice(0, diffTextLimit)}\n(cut)\n`;
}
