import type { Traits } from '../converge/compile.ts';
import type { Engine } from '../converge/engine.ts';
import { AgentError } from '../errors.ts';
import { closestName } from '../policy/closest.ts';
import {
  type BundleDocument,
  type BundleResource,
  bundleFormatVersion,
} from '../protocol/bundle.ts';
import {
  type ImportContext,
  type ImportedResource,
  type Importer,
  importLimit,
} from './contract.ts';
import { groupImporter, userImporter } from './importers/accounts.ts';
import { cronImporter } from './importers/cron.ts';
import { fileImporter } from './importers/files.ts';
import { hostImporter } from './importers/hosts.ts';
import { mountImporter } from './importers/mounts.ts';
import { packageImporter } from './importers/packages.ts';
import { serviceImporter } from './importers/services.ts';
import { sysctlImporter } from './importers/sysctl.ts';
import { literalValue } from './literal.ts';

/** In the order of enforcement: what others need comes first. */
export const importers: readonly Importer[] = [
  packageImporter,
  groupImporter,
  userImporter,
  hostImporter,
  mountImporter,
  sysctlImporter,
  fileImporter,
  cronImporter,
  serviceImporter,
];

/** Something that could not be written down as it is, and why. */
export interface LeftOut {
  readonly what: string;
  readonly reason: string;
}

export interface NamedResource extends ImportedResource {
  readonly name: string;
}

export interface ImportedModule {
  readonly name: string;
  /** Escaped, in the order of enforcement. Their plan on this machine is empty. */
  readonly resources: readonly NamedResource[];
  readonly leftOut: readonly LeftOut[];
}

export interface ImportRequest {
  readonly module: string;
  /** "package", or "package=nginx". */
  readonly selectors: readonly string[];
  readonly traits: Traits;
}

/**
 * Writes what was chosen of this machine as one module and proves it: a dry run of the module must
 * find everything as declared. What it does not is left out and named.
 *
 * @throws {AgentError} AGENT_USAGE for an unknown kind
 */
export async function importModule(
  request: ImportRequest,
  engine: Engine,
  context: ImportContext,
): Promise<ImportedModule> {
  const leftOut: LeftOut[] = [];
  const chosen: ImportedResource[] = [];
  for (const importer of importers) {
    for (const name of await chosenNames(importer, request.selectors, context, leftOut)) {
      try {
        chosen.push(...(await importer.read(name, context)));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        leftOut.push({ what: `${importer.kind} ${name}`, reason: error.message });
      }
      if (chosen.length > importLimit)
        throw new AgentError('AGENT_USAGE', `more than ${importLimit} resources; choose fewer`);
    }
  }
  const named = nameAll(chosen);
  const drifted = await plan(request, named, engine, context);
  const resources = named.filter(({ name }) => !drifted.has(name));
  for (const { name, type, subject } of named) {
    const reason = drifted.get(name);
    if (reason !== undefined) leftOut.push({ what: `${type} ${subject}`, reason });
  }
  return { name: request.module, resources, leftOut };
}

async function chosenNames(
  importer: Importer,
  selectors: readonly string[],
  context: ImportContext,
  leftOut: LeftOut[],
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const selector of selectors) {
    const at = selector.indexOf('=');
    const kind = at < 0 ? selector : selector.slice(0, at);
    if (!importers.some((one) => one.kind === kind)) throw unknownKind(kind);
    if (kind !== importer.kind) continue;
    try {
      for (const name of await namesOf(
        importer,
        at < 0 ? undefined : selector.slice(at + 1),
        context,
      ))
        names.add(name);
    } catch (error) {
      // A machine without services, say, still has packages.
      if (!(error instanceof AgentError)) throw error;
      leftOut.push({ what: selector, reason: error.message });
    }
  }
  return [...names];
}

async function namesOf(
  importer: Importer,
  given: string | undefined,
  context: ImportContext,
): Promise<readonly string[]> {
  if (given === undefined) return await importer.names(context);
  return (await importer.expand?.(given, context)) ?? [given];
}

function unknownKind(kind: string): AgentError {
  const kinds = importers.map((one) => one.kind);
  const near = closestName(kind, kinds);
  const hint = near === undefined ? `expected ${kinds.join(', ')}` : `did you mean ${near}?`;
  return new AgentError('AGENT_USAGE', `no kind ${kind} to import; ${hint}`);
}

function nameAll(chosen: readonly ImportedResource[]): NamedResource[] {
  const taken = new Set<string>();
  return chosen.map((resource) => {
    const base = baseName(resource);
    let name = base;
    for (let count = 2; taken.has(name); count += 1) name = `${base}-${count}`;
    taken.add(name);
    const parameters = literalValue(resource.parameters) as ImportedResource['parameters'];
    return { ...resource, name, parameters };
  });
}

/** A job's name is the name of its file, so it stands as it is. */
function baseName({ type, subject }: ImportedResource): string {
  if (type === 'cron') return subject;
  return `${type}-${subject.replace(/[^A-Za-z0-9_.]+/g, '-').replace(/^-|-$/g, '')}`;
}

/** Names of resources whose first plan here is not empty, and what it says. */
async function plan(
  { module, traits }: ImportRequest,
  resources: readonly NamedResource[],
  engine: Engine,
  { signal }: ImportContext,
): Promise<ReadonlyMap<string, string>> {
  const document: BundleDocument = {
    format: bundleFormatVersion,
    modules: [{ name: module, vars: {}, dependsOn: [], resources: resources.map(bundleResource) }],
    templates: {},
  };
  const result = await engine.pass({ document, traits, dryRun: true, signal });
  return new Map(
    result.resources
      .filter(({ action }) => action !== 'none')
      .map(({ id, reason }) => [id.slice(module.length + 1), reason]),
  );
}

function bundleResource({ name, type, parameters }: NamedResource): BundleResource {
  return {
    name,
    type,
    dependsOn: [],
    before: [],
    notify: [],
    subscribes: [],
    parameters: type === 'cron' ? { name, ...parameters } : parameters,
  };
}
