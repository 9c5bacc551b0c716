import type { BundleDocument } from '../../agent/protocol/bundle.ts';

/** Who triggers whom in a bundle: id of the source -> ids of what it notifies or what subscribes to it. */
export function triggersOf(document: BundleDocument): ReadonlyMap<string, readonly string[]> {
  const targets = new Map<string, string[]>();
  const members = new Map(
    document.modules.map(
      ({ name, resources }) => [name, resources.map((one) => `${name}/${one.name}`)] as const,
    ),
  );
  const resolve = (name: string, module: string): readonly string[] => {
    const local = `${module}/${name}`;
    if (members.get(module)?.includes(local)) return [local];
    return members.get(name) ?? [name];
  };
  const add = (source: string, target: string) => {
    const known = targets.get(source);
    if (known === undefined) targets.set(source, [target]);
    else known.push(target);
  };
  for (const { name: module, resources } of document.modules)
    for (const { name, notify, subscribes } of resources) {
      const id = `${module}/${name}`;
      for (const one of notify) for (const target of resolve(one, module)) add(id, target);
      for (const one of subscribes) for (const source of resolve(one, module)) add(source, id);
    }
  return targets;
}
