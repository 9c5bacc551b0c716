import { resourceSchemas } from '../../../agent/policy/resource-schemas/registry.ts';
import type {
  ParameterSpec,
  ResourceSchema,
} from '../../../agent/policy/resource-schemas/schema.ts';
import type { Place } from './diagnostics.ts';
import type {
  ForeachDeclaration,
  ModuleDeclaration,
  ParameterDeclaration,
  ResourceDeclaration,
  VariantDeclaration,
  VarsDeclaration,
} from './model.ts';
import { plainValue, type StackMap, type StackNode, scalarText } from './node.ts';
import { parameterValue } from './parameter-values.ts';
import type { ShapeReader } from './shape.ts';

/** Resources of one module. */
export const resourceLimit = 10_000;

const moduleKeys = [
  'name',
  'configcrate',
  'description',
  'depends_on',
  'when',
  'defaults',
  'vars',
  'conditional_vars',
  'environment_overrides',
  'compliance',
  'resources',
];
/** Keys that every resource may have besides its type's parameters. */
export const commonResourceKeys = [
  'name',
  'type',
  'when',
  'depends_on',
  'before',
  'notify',
  'subscribes',
  'foreach',
  'case',
  'match',
];

/** Reads a module file. `fileName` without its extension is the name when the file gives none. */
export function readModule(
  root: StackNode,
  fileName: string,
  shape: ShapeReader,
): ModuleDeclaration | undefined {
  const map = shape.map(root, 'a module');
  if (map === undefined) return undefined;
  shape.onlyKeys(map, moduleKeys);
  const nameNode = (map.entries.get('name') ?? map.entries.get('configcrate'))?.value;
  const ownName = shape.name(nameNode, 'name');
  const name = ownName ?? fileName.replace(/\.vgo$/, '');
  if (map.entries.has('name') && map.entries.has('configcrate')) {
    const message = 'give name or configcrate, not both';
    const place = map.entries.get('configcrate')!.key;
    shape.diagnostics.report(place, { code: 'PUBLISH_CONTRADICTORY_OVERRIDE', message });
  }
  const defaults = shape.map(map.entries.get('defaults')?.value, 'defaults');
  const declared = shape.items(map.entries.get('resources')?.value);
  if (declared.length > resourceLimit) {
    const message = `more than ${resourceLimit} resources`;
    shape.diagnostics.report(map, { code: 'PUBLISH_LIMIT', message });
  }
  if (name.includes('/')) {
    const message = 'the name of a module must not contain /';
    shape.diagnostics.report(nameNode ?? map, { code: 'PUBLISH_BAD_VALUE', message });
  }
  const resources = declared
    .slice(0, resourceLimit)
    .map((node) => readResource(node, defaults, shape))
    .filter((resource) => resource !== undefined);
  if (defaults !== undefined) checkDefaults(defaults, resources, shape);
  return {
    name,
    place: nameNode ?? map,
    dependsOn: shape.names(map, 'depends_on'),
    when: condition(map, shape),
    vars: shape.vars(map),
    environmentVars: readEnvironmentVars(map, shape),
    conditionalVars: shape.conditionalVars(map),
    resources,
    resourcesByName: new Map(resources.toReversed().map((resource) => [resource.name, resource])),
  };
}

function parameter(
  key: Place,
  node: StackNode,
  spec: ParameterSpec | undefined,
  from: ParameterDeclaration['from'],
): ParameterDeclaration {
  return { key, value: parameterValue(spec, node), node, from };
}

/** The name of a variable, or a list in place. */
function readForeach(map: StackMap, shape: ShapeReader): ForeachDeclaration | undefined {
  const node = map.entries.get('foreach')?.value;
  if (node === undefined) return undefined;
  if (node.kind === 'list') return { variable: undefined, elements: plainValue(node), node };
  const variable = shape.text(node, 'foreach');
  if (variable === undefined) return undefined;
  return { variable: variable.replace(/^\.Vars\./, ''), elements: undefined, node };
}

function condition(map: StackMap, shape: ShapeReader): StackNode | undefined {
  const node = map.entries.get('when')?.value;
  return shape.text(node, 'when') === undefined ? undefined : node;
}

function readEnvironmentVars(map: StackMap, shape: ShapeReader): Map<string, VarsDeclaration> {
  const found = new Map<string, VarsDeclaration>();
  const key = 'environment_overrides';
  for (const [name, entry] of shape.map(map.entries.get(key)?.value, key)?.entries ?? []) {
    const overrides = shape.map(entry.value, 'an environment');
    if (overrides === undefined) continue;
    shape.checkName(name, entry.key);
    shape.onlyKeys(overrides, ['vars']);
    found.set(name, shape.vars(overrides));
  }
  return found;
}

function readResource(
  node: StackNode,
  defaults: StackMap | undefined,
  shape: ShapeReader,
): ResourceDeclaration | undefined {
  const map = shape.map(node, 'a resource');
  if (map === undefined) return undefined;
  const typeNode = map.entries.get('type')?.value;
  if (typeNode === undefined) {
    const message = 'the resource has no type';
    shape.diagnostics.report(map, { code: 'PUBLISH_MISSING_KEY', message });
    return undefined;
  }
  const type = shape.text(typeNode, 'type');
  if (type === undefined) return undefined;
  const schema = resourceSchemas.get(type);
  if (schema === undefined) {
    const known = resourceSchemas.keys();
    shape.diagnostics.unknown(typeNode, 'PUBLISH_UNKNOWN_TYPE', 'resource type', type, known);
  }
  const parameters = readParameters(map, schema);
  addDefaults(parameters, defaults, schema);
  return {
    name: resourceName(map, type, schema, parameters, shape),
    named: map.entries.has('name'),
    type,
    place: map.entries.get('name')?.value ?? typeNode,
    when: condition(map, shape),
    dependsOn: shape.names(map, 'depends_on'),
    before: shape.names(map, 'before'),
    notify: shape.names(map, 'notify'),
    subscribes: shape.names(map, 'subscribes'),
    foreach: readForeach(map, shape),
    variants: readVariants(map, schema, shape),
    parameters,
  };
}

/** An unnamed resource is called after what it manages. */
function resourceName(
  map: StackMap,
  type: string,
  schema: ResourceSchema | undefined,
  parameters: ReadonlyMap<string, ParameterDeclaration>,
  shape: ShapeReader,
): string {
  const name = shape.name(map.entries.get('name')?.value, 'name');
  if (name !== undefined) return name;
  const main = schema?.parameters.find((parameter) => parameter.required === true);
  const value = main === undefined ? undefined : parameters.get(main.name);
  return `${type} ${value === undefined ? '' : (scalarText(value.node) ?? '')}`.trim();
}

function readParameters(
  map: StackMap,
  schema: ResourceSchema | undefined,
): Map<string, ParameterDeclaration> {
  const parameters = new Map<string, ParameterDeclaration>();
  for (const [key, { key: place, value }] of map.entries) {
    const spec = schema?.parameters.find((parameter) => parameter.name === key);
    // `name` belongs to every resource; a type that has such a parameter gets it too.
    if (spec === undefined && commonResourceKeys.includes(key)) continue;
    if (value.kind === 'scalar' && value.value === null) continue;
    parameters.set(key, parameter(place, value, spec, 'resource'));
  }
  return parameters;
}

/** A default must be a parameter of at least one resource's type, or it is a slip. */
function checkDefaults(
  defaults: StackMap,
  resources: readonly ResourceDeclaration[],
  shape: ShapeReader,
): void {
  const types = new Set(resources.map(({ type }) => type));
  // Of a type that is unknown too, nothing can be said.
  if ([...types].some((type) => !resourceSchemas.has(type))) return;
  const schemas = [...types].map((type) => resourceSchemas.get(type)!);
  for (const [name, { key }] of defaults.entries) {
    if (schemas.some(({ parameters }) => parameters.some((spec) => spec.name === name))) continue;
    const known = schemas.flatMap(({ parameters }) => parameters.map((spec) => spec.name));
    const what = 'parameter, for the types of this module,';
    shape.diagnostics.unknown(key, 'PUBLISH_UNKNOWN_PARAMETER', what, name, known);
  }
}

/** A default that the type does not know is for the other types of the module. */
function addDefaults(
  parameters: Map<string, ParameterDeclaration>,
  defaults: StackMap | undefined,
  schema: ResourceSchema | undefined,
): void {
  for (const [key, { key: place, value }] of defaults?.entries ?? []) {
    const spec = schema?.parameters.find((parameter) => parameter.name === key);
    if (spec === undefined || parameters.has(key)) continue;
    parameters.set(key, parameter(place, value, spec, 'defaults'));
  }
}

function readVariants(
  map: StackMap,
  schema: ResourceSchema | undefined,
  shape: ShapeReader,
): VariantDeclaration | undefined {
  const node = map.entries.get('case')?.value;
  const cases = shape.map(map.entries.get('match')?.value, 'match');
  if (node === undefined && cases === undefined) return undefined;
  if (node === undefined || cases === undefined) {
    const message = '`case` and `match` belong together';
    shape.diagnostics.report(node ?? cases ?? map, { code: 'PUBLISH_MISSING_KEY', message });
    return undefined;
  }
  const on = shape.text(node, 'case');
  if (on === undefined) return undefined;
  const match = new Map<string, ReadonlyMap<string, ParameterDeclaration>>();
  for (const [value, entry] of cases.entries) {
    const overrides = shape.map(entry.value, 'each case');
    if (overrides !== undefined) match.set(value, readParameters(overrides, schema));
  }
  return { on, node, match };
}
