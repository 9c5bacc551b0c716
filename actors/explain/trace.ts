import type { PolicyValue } from '../../agent/protocol/bundle.ts';
import type {
  EntryExplanation,
  ModuleExplanation,
  ResourceExplanation,
} from '../publish/stack/explain.ts';
import type { EntryTrace, ModuleTrace, ResourceTrace, Verdict } from './messages.ts';
import { conditionVerdict, renderKnown, type Traits } from './verdict.ts';

const isIn: Verdict = { state: 'in', why: '' };

/** Adds to an entry's explanation what holds on a node of these traits, and why not. */
export async function traceEntry(
  entry: EntryExplanation,
  traits: Traits | undefined,
): Promise<EntryTrace> {
  const modules: ModuleTrace[] = [];
  for (const module of entry.modules) modules.push(await traceModule(module, traits));
  return { ...entry, modules };
}

async function traceModule(
  module: ModuleExplanation,
  traits: Traits | undefined,
): Promise<ModuleTrace> {
  const Vars = Object.fromEntries(module.vars.map(({ name, value }) => [name, value]));
  const verdict = module.when ? await conditionVerdict(module.when.text, { Vars }, traits) : isIn;
  const resources: ResourceTrace[] = [];
  for (const resource of module.resources) {
    resources.push(await traceResource(resource, Vars, traits, verdict));
  }
  return { ...module, verdict, resources };
}

async function traceResource(
  resource: ResourceExplanation,
  Vars: Readonly<Record<string, PolicyValue>>,
  traits: Traits | undefined,
  module: Verdict,
): Promise<ResourceTrace> {
  const item = resource.foreach?.item;
  const data = { Vars, ...(item === undefined ? {} : { Item: item, Each: item }) };
  const own = resource.when ? await conditionVerdict(resource.when.text, data, traits) : isIn;
  const { variesOn } = resource;
  const variant = variesOn === undefined ? undefined : renderKnown(variesOn, data, traits);
  return {
    ...resource,
    verdict: weaker(ofModule(module), own),
    ...(variant === undefined ? {} : { variant }),
  };
}

function ofModule({ state, why }: Verdict): Verdict {
  return { state, why: why === '' ? '' : `its module: ${why}` };
}

/** Out wins over not known, and that over in. */
function weaker(module: Verdict, own: Verdict): Verdict {
  const found = [module, own].find(({ state }) => state === 'out');
  return found ?? [module, own].find(({ state }) => state === 'node') ?? own;
}
