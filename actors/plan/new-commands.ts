import { resourceSchemas } from '../../agent/policy/resource-schemas/registry.ts';
import { isTemplate } from '../../agent/policy/template/template.ts';
import type { BundleDocument, BundleModule, BundleResource } from '../../agent/protocol/bundle.ts';
import { canonicalJson } from '../../agent/protocol/canonical-json.ts';

/** Parameters whose commands run when a resource is looked at, where that is less than all of them. */
const guardsOf: Readonly<Record<string, readonly string[]>> = {
  exec: ['onlyif', 'unless'],
  file: ['stream_edit'],
  service: [],
};
const asksCommand = 'command_succeeds';

/**
 * Resources of a candidate whose mere observation would run a command that the bundle in force has not.
 * Where a second person must approve, nobody's machine runs such a command before.
 */
export function newCommands(live: BundleDocument, candidate: BundleDocument): string[] {
  const known = new Set(commandsOf(live).map(({ key }) => key));
  const fresh = commandsOf(candidate).filter(({ key }) => !known.has(key));
  return [...new Set(fresh.map(({ id }) => id))].sort();
}

interface Command {
  readonly id: string;
  /** The command with everything that its text depends on. */
  readonly key: string;
}

function commandsOf(document: BundleDocument): Command[] {
  return document.modules.flatMap((module) => {
    const { name, when, conditionalVars = [] } = module;
    const conditions = [when, ...conditionalVars.map((one) => one.when)];
    return [
      ...conditions.flatMap((text) => conditionCommands(name, text, module, undefined)),
      ...module.resources.flatMap((resource) => resourceCommands(module, resource)),
    ];
  });
}

function resourceCommands(module: BundleModule, resource: BundleResource): Command[] {
  const id = `${module.name}/${resource.name}`;
  const sets = [resource.parameters, ...Object.values(resource.variants?.match ?? {})];
  const found = conditionCommands(id, resource.when, module, resource);
  for (const parameters of sets) {
    const guards = guardsOf[resource.type];
    const values =
      guards === undefined
        ? otherCommands(resource, parameters)
        : guards.map((name) => parameters[name]).filter((value) => value !== undefined);
    // Whoever runs it and where is part of what is run.
    const { user = '', cwd = '', environment = '' } = parameters;
    for (const value of values)
      found.push(commandOf(id, { value, user, cwd, environment }, module, resource));
  }
  return found;
}

/** Of a type that is not listed above, everything counts as soon as it runs any command. */
function otherCommands(
  { type }: BundleResource,
  parameters: BundleResource['parameters'],
): readonly unknown[] {
  if (type === 'custom') return [parameters];
  const targets = resourceSchemas.get(type)?.targets(parameters) ?? [];
  return targets.some(({ kind }) => kind === 'command') ? [parameters] : [];
}

function conditionCommands(
  id: string,
  text: string | undefined,
  module: BundleModule,
  resource: BundleResource | undefined,
): Command[] {
  if (text === undefined) return [];
  const asks = text.includes(asksCommand) || isTemplate(text);
  return asks ? [commandOf(id, text, module, resource)] : [];
}

function commandOf(
  id: string,
  value: unknown,
  { vars, conditionalVars = [] }: BundleModule,
  resource: BundleResource | undefined,
): Command {
  const text = canonicalJson(value);
  const depends = isTemplate(text) ? { vars, conditionalVars, item: resource?.item ?? null } : '';
  return { id, key: canonicalJson({ text, depends }) };
}
