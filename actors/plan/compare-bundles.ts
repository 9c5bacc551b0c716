import type {
  BundleDocument,
  BundleModule,
  BundleResource,
  PolicyValue,
} from '../../agent/protocol/bundle.ts';
import { canonicalJson } from '../../agent/protocol/canonical-json.ts';
import { manner, thingOf } from '../publish/stack/identity.ts';
import { type KnownResource, knownResource, type Traits } from './known-node.ts';
import type { ParameterChange, PlannedChange } from './messages.ts';
import { triggersOf } from './triggers.ts';

/** What is expected of one resource on one node. */
export interface ExpectedResource {
  readonly id: string;
  readonly type: string;
  readonly change: PlannedChange;
  readonly reason: string;
  readonly parameters: readonly ParameterChange[];
}

type Parameters = Readonly<Record<string, PolicyValue>>;

interface Declared {
  readonly id: string;
  readonly document: BundleDocument;
  readonly module: BundleModule;
  readonly resource: BundleResource;
  /** Everything that its outcome depends on. */
  readonly key: string;
}

/** Two bundles made ready to be compared for many nodes. */
export interface BundleComparison {
  /** Resources of the new bundle, in order: id and type. */
  readonly resources: readonly { readonly id: string; readonly type: string }[];
  forNode(traits: Traits | undefined): Promise<readonly ExpectedResource[]>;
}

/** Longest value that a plan shows of a parameter. */
const shownLength = 8_192;

export function compareBundles(old: BundleDocument, wanted: BundleDocument): BundleComparison {
  const before = declared(old);
  const after = declared(wanted);
  const triggers = triggersOf(wanted);
  return {
    resources: [...after.values()].map(({ id, resource: { type } }) => ({ id, type })),
    async forNode(traits) {
      const expected: ExpectedResource[] = [];
      const acting = new Set<string>();
      for (const one of after.values()) {
        const first = await expect(before.get(one.id), one, traits);
        const result = triggered(first, acting, await waitsFor(one, traits, first));
        if (acts(result.change))
          for (const target of triggers.get(one.id) ?? []) acting.add(target);
        expected.push(result);
      }
      for (const { id, resource } of before.values())
        if (!after.has(id)) expected.push(unmanaged(id, resource.type, 'no longer declared'));
      return expected;
    },
  };
}

function declared(document: BundleDocument): Map<string, Declared> {
  const found = new Map<string, Declared>();
  for (const module of document.modules)
    for (const resource of module.resources) {
      const id = `${module.name}/${resource.name}`;
      const source = resource.parameters.source;
      const template = typeof source === 'string' ? document.templates[source] : undefined;
      const { vars, conditionalVars = [], when = '' } = module;
      const depends = { vars, conditionalVars, when, resource, template: template ?? '' };
      const key = canonicalJson(depends);
      found.set(id, { id, document, module, resource, key });
    }
  return found;
}

function acts(change: PlannedChange): boolean {
  return ['create', 'update', 'delete', 'trigger'].includes(change);
}

function know(one: Declared, traits: Traits | undefined): Promise<KnownResource> {
  return knownResource(one.document, one.module, one.resource, traits);
}

/** Only what could be triggered is worth the question. */
async function waitsFor(
  one: Declared,
  traits: Traits | undefined,
  { change }: ExpectedResource,
): Promise<boolean> {
  if (change !== 'none' && change !== 'create' && change !== 'update') return false;
  return (await know(one, traits)).waits;
}

/** A resource that waits acts when it is triggered, and only then. */
function triggered(
  expected: ExpectedResource,
  acting: ReadonlySet<string>,
  waits: boolean,
): ExpectedResource {
  if (!waits) return expected;
  if (acting.has(expected.id))
    return { ...expected, change: 'trigger', reason: 'a resource that changes triggers it' };
  return { ...expected, change: 'none', reason: 'not triggered' };
}

async function expect(
  before: Declared | undefined,
  one: Declared,
  traits: Traits | undefined,
): Promise<ExpectedResource> {
  const { id, resource } = one;
  const of = (change: PlannedChange, reason: string, parameters: readonly ParameterChange[] = []) =>
    ({ id, type: resource.type, change, reason, parameters }) as const;
  if (before?.key === one.key) return of('none', 'declared as before');
  const now = await know(one, traits);
  const was = before && (await know(before, traits));
  const managed = was !== undefined && was.verdict === 'holds';
  if (now.verdict === 'fails')
    return managed
      ? unmanaged(id, resource.type, `its condition fails now: ${now.condition}`)
      : of('skip', `condition: ${now.condition}`);
  if (now.verdict === 'unknown')
    return of('unknown', `only the node can answer: ${now.condition}`, changes(was, now));
  if (now.parameters === undefined)
    return of('unknown', 'a template needs traits that the server does not know');
  if (!managed) return of(appears(resource.type, now.parameters), 'new', changes(undefined, now));
  if (was.parameters === undefined)
    return of('unknown', 'a template needed traits that the server does not know');
  const differences = changes(was, now);
  if (differences.length === 0) return of('none', 'means the same as before');
  const moved = movedFrom(resource.type, was.parameters, now.parameters);
  if (moved !== undefined)
    return of(appears(resource.type, now.parameters), `${moved} stays as it is`, differences);
  if (isAbsent(was.parameters) && isAbsent(now.parameters)) return of('none', 'absent as before');
  if (isAbsent(was.parameters) || isAbsent(now.parameters))
    return of(appears(resource.type, now.parameters), 'another state', differences);
  if (differences.every(({ name }) => manner.has(name) && name !== 'persist'))
    return of('none', 'only how it is done is another');
  return of('update', `${differences.length} changed`, differences);
}

/** The thing that a resource managed before, when it is another one now. */
function movedFrom(type: string, was: Parameters, now: Parameters): string | undefined {
  const before = thingOf(type, was);
  return before === thingOf(type, now) ? undefined : before;
}

function unmanaged(id: string, type: string, why: string): ExpectedResource {
  const reason = `${why}; it stays on the node as it is`;
  return { id, type, change: 'unmanage', reason, parameters: [] };
}

function appears(type: string, parameters: Parameters): PlannedChange {
  if (isAbsent(parameters)) return 'delete';
  return type === 'exec' || type === 'service' ? 'update' : 'create';
}

function isAbsent(parameters: Parameters): boolean {
  return parameters.state === 'absent';
}

function changes(was: KnownResource | undefined, now: KnownResource): ParameterChange[] {
  const before = was?.parameters ?? {};
  const after = now.parameters ?? {};
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null))
    .map((name) => ({
      name,
      ...(before[name] === undefined ? {} : { before: shown(before[name]) }),
      ...(after[name] === undefined ? {} : { after: shown(after[name]) }),
    }));
}

function shown(value: PolicyValue): PolicyValue {
  const text = typeof value === 'string' ? value : canonicalJson(value);
  if (text.length <= shownLength) return value;
  return `${text.slice(0, shownLength)}… (${text.length} characters)`;
}
