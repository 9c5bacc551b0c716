import { AgentError } from '../errors.ts';
import type { BundleDocument, BundleModule, BundleResource } from '../protocol/bundle.ts';

/** Resources that one agent enforces at most. */
export const resourceLimit = 10_000;

/** One resource in its place. Indices are positions in `Plan.nodes`; all that it needs come before. */
export interface PlanNode {
  readonly index: number;
  /** "module/resource". */
  readonly id: string;
  readonly module: BundleModule;
  readonly resource: BundleResource;
  /** What must succeed first (depends_on, before, module dependencies). */
  readonly dependencies: readonly number[];
  /** What is triggered when this one changes (notify, subscribes). */
  readonly triggers: readonly number[];
  /** What this one is triggered by. */
  readonly triggeredBy: readonly number[];
}

export interface Plan {
  readonly nodes: readonly PlanNode[];
}

interface Draft {
  readonly id: string;
  readonly module: BundleModule;
  readonly resource: BundleResource;
  readonly requires: Set<Draft>;
  readonly triggers: Set<Draft>;
  readonly triggeredBy: Set<Draft>;
}

/**
 * Orders the resources of a bundle so that every edge points forward. Where the edges leave a
 * choice, the order of the document decides, as a reader of the stack expects.
 *
 * @throws {AgentError} AGENT_PLAN_CYCLE with the path, AGENT_PLAN_REFERENCE, AGENT_PLAN_DUPLICATE,
 * AGENT_PLAN_TOO_LARGE.
 */
export function buildPlan(document: BundleDocument): Plan {
  const names = new Names(document);
  for (const module of document.modules) linkModule(module, names);
  const order = sort(names.drafts);
  const position = new Map(order.map((draft, index) => [draft, index]));
  const indices = (drafts: ReadonlySet<Draft>) =>
    [...drafts].map((draft) => position.get(draft)!).sort((a, b) => a - b);
  return {
    nodes: order.map((draft, index) => ({
      index,
      id: draft.id,
      module: draft.module,
      resource: draft.resource,
      dependencies: indices(draft.requires),
      triggers: indices(draft.triggers),
      triggeredBy: indices(draft.triggeredBy),
    })),
  };
}

/** Everything that a reference can name. */
class Names {
  readonly drafts: Draft[] = [];
  readonly #byId = new Map<string, Draft>();
  readonly #byModule = new Map<string, Draft[]>();

  constructor(document: BundleDocument) {
    for (const module of document.modules) {
      if (this.#byModule.has(module.name))
        throw new AgentError('AGENT_PLAN_DUPLICATE', { detail: module.name });
      this.#byModule.set(module.name, []);
      for (const resource of module.resources) this.#add(module, resource);
    }
  }

  #add(module: BundleModule, resource: BundleResource): void {
    const id = `${module.name}/${resource.name}`;
    if (this.#byId.has(id)) throw new AgentError('AGENT_PLAN_DUPLICATE', { detail: id });
    const none = () => new Set<Draft>();
    const [requires, triggers, triggeredBy] = [none(), none(), none()];
    const draft: Draft = { id, module, resource, requires, triggers, triggeredBy };
    this.drafts.push(draft);
    if (this.drafts.length > resourceLimit)
      throw new AgentError('AGENT_PLAN_TOO_LARGE', { detail: `more than ${resourceLimit}` });
    this.#byId.set(id, draft);
    this.#byModule.get(module.name)!.push(draft);
  }

  resource(module: BundleModule, name: string): Draft {
    return this.#byId.get(`${module.name}/${name}`)!;
  }

  /** A name in the same module, then "module/resource", then a module: all of its resources. */
  find(reference: string, from: Draft): readonly Draft[] {
    const one = this.#byId.get(`${from.module.name}/${reference}`) ?? this.#byId.get(reference);
    if (one !== undefined) return [one];
    const many = this.#byModule.get(reference);
    if (many !== undefined) return many.filter((draft) => draft !== from);
    throw new AgentError('AGENT_PLAN_REFERENCE', { detail: `${from.id} names ${reference}` });
  }

  /** Resources of a module that is in this bundle; a module that was left out requires nothing. */
  moduleResources(name: string): readonly Draft[] {
    return this.#byModule.get(name) ?? [];
  }
}

function linkModule(module: BundleModule, names: Names): void {
  const before = module.dependsOn.flatMap((name) => [...names.moduleResources(name)]);
  for (const resource of module.resources) {
    const draft = names.resource(module, resource.name);
    for (const one of before) draft.requires.add(one);
    for (const reference of resource.dependsOn)
      for (const one of names.find(reference, draft)) draft.requires.add(one);
    for (const reference of resource.before)
      for (const one of names.find(reference, draft)) one.requires.add(draft);
    for (const reference of resource.notify)
      for (const one of names.find(reference, draft)) link(draft, one);
    for (const reference of resource.subscribes)
      for (const one of names.find(reference, draft)) link(one, draft);
  }
}

function link(source: Draft, target: Draft): void {
  source.triggers.add(target);
  target.triggeredBy.add(source);
}

/** Depth first along what each needs, in document order: stable, and it meets every cycle. */
function sort(drafts: readonly Draft[]): Draft[] {
  const place = new Map(drafts.map((draft, index) => [draft, index]));
  const needs = new Map<Draft, Draft[]>();
  for (const draft of drafts) {
    const list = [...new Set([...draft.requires, ...draft.triggeredBy])];
    needs.set(
      draft,
      list.sort((a, b) => place.get(a)! - place.get(b)!),
    );
  }
  const done = new Set<Draft>();
  const order: Draft[] = [];
  for (const draft of drafts) visit(draft, needs, done, order);
  return order;
}

/** Iterative, since a chain may be longer than the stack is deep. */
function visit(
  start: Draft,
  needs: ReadonlyMap<Draft, readonly Draft[]>,
  done: Set<Draft>,
  order: Draft[],
): void {
  const open: { draft: Draft; next: number }[] = [{ draft: start, next: 0 }];
  const path = new Set<Draft>([start]);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (done.has(top.draft)) {
      open.pop();
      continue;
    }
    const need = needs.get(top.draft)![top.next];
    top.next += 1;
    if (need === undefined) {
      done.add(top.draft);
      order.push(top.draft);
      path.delete(top.draft);
      open.pop();
    } else if (path.has(need)) {
      throw cycle([...path], need);
    } else if (!done.has(need)) {
      path.add(need);
      open.push({ draft: need, next: 0 });
    }
  }
}

/** `path` runs from what waits to what it waits for. */
function cycle(path: readonly Draft[], closing: Draft): AgentError {
  const circle = [...path.slice(path.indexOf(closing)), closing].map((draft) => draft.id);
  return new AgentError('AGENT_PLAN_CYCLE', { detail: circle.join(' needs ') });
}
