import type { Place } from './diagnostics.ts';
import type { Assignment, EntryDeclaration, RoleDeclaration } from './model.ts';
import type { StackMap, StackNode } from './node.ts';
import { noVars, type ShapeReader } from './shape.ts';

const assignmentKeys = [
  'roles',
  'modules',
  'configcrates',
  'exclude_modules',
  'vars',
  'conditional_vars',
];
const entryKeys = ['match', 'environment', ...assignmentKeys];
const patternLimit = 255;
/** Matching takes time to the power of the stars. */
const starLimit = 8;

/** Reads common.vgo. */
export function readCommon(root: StackNode, shape: ShapeReader): Assignment | undefined {
  const map = shape.map(root, 'common.vgo');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, assignmentKeys);
  return readAssignment(map, map, shape);
}

/** Reads a file of the legacy directory vars/: variables for everything, bare or under `vars:`. */
export function readVarsFile(root: StackNode, shape: ShapeReader): Assignment | undefined {
  const map = shape.map(root, 'a file of variables');
  if (map === undefined) return undefined;
  const only = map.entries.size === 1 ? map.entries.get('vars')?.value : undefined;
  const vars = shape.varsOf(only?.kind === 'map' ? only : map);
  return { place: map, ...nothing, vars };
}

const nothing: Omit<Assignment, 'place'> = {
  roles: [],
  modules: [],
  excludeModules: [],
  vars: noVars,
  conditionalVars: [],
};

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
    shape.checkName(name, entry.key);
    shape.onlyKeys(overrides, assignmentKeys);
    found.set(name, readAssignment(overrides, entry.key, shape));
  }
  return found;
}

/** Reads roles: a list, `roles:` with a list, or one role by itself, called `fileName` if unnamed. */
export function readRoles(
  root: StackNode,
  shape: ShapeReader,
  fileName?: string,
): RoleDeclaration[] {
  const inner = root.kind === 'map' ? root.entries.get('roles') : undefined;
  if (root.kind === 'map' && inner !== undefined) shape.onlyKeys(root, ['roles']);
  return shape
    .items(inner?.value ?? root)
    .map((node) => readRole(node, shape, node === root ? fileName : undefined))
    .filter((role) => role !== undefined);
}

function readRole(
  node: StackNode,
  shape: ShapeReader,
  fileName: string | undefined,
): RoleDeclaration | undefined {
  const map = shape.map(node, 'a role');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, ['name', 'description', 'modules', 'configcrates']);
  const nameNode = map.entries.get('name')?.value;
  const name = nameNode === undefined ? fileName : shape.name(nameNode, 'name');
  if (name === undefined) {
    if (nameNode === undefined) shape.missing(map, 'the role has no name');
    return undefined;
  }
  const modules = [...shape.names(map, 'modules'), ...shape.names(map, 'configcrates')];
  return { name, place: nameNode ?? map, modules };
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
  if (!map.entries.has('match')) shape.missing(map, 'the entry has no match');
  for (const { name, node: place } of match) {
    shape.checkName(name, place);
    const stars = name.split('*').length - 1;
    if (name.length <= patternLimit && stars <= starLimit) continue;
    const message = `a pattern has at most ${patternLimit} characters and ${starLimit} stars`;
    shape.diagnostics.report(place, { code: 'PUBLISH_LIMIT', message });
  }
  const environmentNode = map.entries.get('environment')?.value;
  const environment = shape.name(environmentNode, 'environment');
  return {
    ...readAssignment(map, match[0]?.node ?? map, shape),
    directory,
    match,
    environment:
      environment === undefined || environmentNode === undefined
        ? undefined
        : { name: environment, node: environmentNode },
  };
}

function readAssignment(map: StackMap, place: Place, shape: ShapeReader): Assignment {
  return {
    place,
    roles: shape.names(map, 'roles'),
    modules: [...shape.names(map, 'modules'), ...shape.names(map, 'configcrates')],
    excludeModules: shape.names(map, 'exclude_modules'),
    vars: shape.vars(map),
    conditionalVars: shape.conditionalVars(map),
  };
}
