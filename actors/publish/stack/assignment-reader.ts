import type { Assignment, EntryDeclaration, RoleDeclaration } from './model.ts';
import type { StackMap, StackNode } from './node.ts';
import type { ShapeReader } from './shape.ts';

const assignmentKeys = ['roles', 'modules', 'exclude_modules', 'vars'];
const entryKeys = ['match', 'environment', ...assignmentKeys];
const patternLimit = 255;
/** Matching takes time to the power of the stars. */
const starLimit = 8;

/** Reads common.vgo. */
export function readCommon(root: StackNode, shape: ShapeReader): Assignment | undefined {
  const map = shape.map(root, 'common.vgo');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, assignmentKeys);
  return readAssignment(map, shape);
}

/** Reads environments.vgo or per_env_overrides.vgo: `env:` and a map of environments. */
export function readEnvironments(
  root: StackNode,
  shape: ShapeReader,
): Map<string, Assignment> | undefined {
  const map = shape.map(root, 'the file of environments');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, ['env']);
  const found = new Map<string, Assignment>();
  for (const [name, entry] of shape.map(map.entries.get('env')?.value, 'env')?.entries ?? []) {
    const overrides = shape.map(entry.value, 'an environment');
    if (overrides === undefined) continue;
    shape.onlyKeys(overrides, assignmentKeys);
    found.set(name, readAssignment(overrides, shape));
  }
  return found;
}

/** Reads roles: a list, `roles:` with a list, or one role by itself. */
export function readRoles(root: StackNode, shape: ShapeReader): RoleDeclaration[] {
  const inner = root.kind === 'map' ? root.entries.get('roles') : undefined;
  if (root.kind === 'map' && inner !== undefined) shape.onlyKeys(root, ['roles']);
  return shape
    .items(inner?.value ?? root)
    .map((node) => readRole(node, shape))
    .filter((role) => role !== undefined);
}

function readRole(node: StackNode, shape: ShapeReader): RoleDeclaration | undefined {
  const map = shape.map(node, 'a role');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, ['name', 'description', 'modules', 'configcrates']);
  const name = shape.text(map.entries.get('name')?.value, 'name');
  if (name === undefined) {
    if (!map.entries.has('name')) missing(map, 'the role has no name', shape);
    return undefined;
  }
  const modules = [...shape.names(map, 'modules'), ...shape.names(map, 'configcrates')];
  return { name, place: map.entries.get('name')!.value, modules };
}

/** Reads a leaf file: `envoys:` or `nodes:` with a list, a list, or one bare entry with `match:`. */
export function readEntries(
  root: StackNode,
  directory: string,
  shape: ShapeReader,
): EntryDeclaration[] {
  if (root.kind === 'scalar') {
    shape.map(root, 'a file of entries');
    return [];
  }
  let nodes: readonly StackNode[] = [root];
  if (root.kind === 'list') nodes = root.items;
  else if (!root.entries.has('match')) {
    shape.onlyKeys(root, ['envoys', 'nodes', 'match']);
    nodes = ['envoys', 'nodes'].flatMap((key) => shape.items(root.entries.get(key)?.value));
  }
  return nodes
    .map((node) => readEntry(node, directory, shape))
    .filter((entry) => entry !== undefined);
}

function readEntry(
  node: StackNode,
  directory: string,
  shape: ShapeReader,
): EntryDeclaration | undefined {
  const map = shape.map(node, 'an entry');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, entryKeys);
  const match = shape.names(map, 'match');
  if (!map.entries.has('match')) missing(map, 'the entry has no match', shape);
  for (const { name, node: place } of match) {
    const stars = name.split('*').length - 1;
    if (name.length <= patternLimit && stars <= starLimit) continue;
    const message = `a pattern has at most ${patternLimit} characters and ${starLimit} stars`;
    shape.diagnostics.report(place, { code: 'PUBLISH_LIMIT', message });
  }
  return {
    ...readAssignment(map, shape),
    place: match[0]?.node ?? map,
    directory,
    match,
    environment: shape.text(map.entries.get('environment')?.value, 'environment'),
  };
}

function readAssignment(map: StackMap, shape: ShapeReader): Assignment {
  return {
    roles: shape.names(map, 'roles'),
    modules: shape.names(map, 'modules'),
    excludeModules: shape.names(map, 'exclude_modules'),
    vars: shape.values(map, 'vars'),
  };
}

function missing(map: StackMap, message: string, shape: ShapeReader): void {
  shape.diagnostics.report(map, { code: 'PUBLISH_MISSING_KEY', message });
}
