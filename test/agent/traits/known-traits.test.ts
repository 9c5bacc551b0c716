/** Without this publish would call a trait unknown that agents collect, or accept one that none does. */
import t from 'tap';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { knownTraits } from '../../../agent/policy/known-traits.ts';
import type { NameTree } from '../../../agent/policy/template/values.ts';
import type { PolicyValue } from '../../../agent/protocol/bundle.ts';
import { createTraitCollection } from '../../../agent/traits/collect.ts';

function unknownPaths(value: PolicyValue, names: NameTree | null, path: string): string[] {
  if (names === null) return [];
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return Object.hasOwn(names, name) ? unknownPaths(inner, names[name]!, here) : [here];
  });
}

t.test('every trait of this machine is a known one', async (t) => {
  const collection = createTraitCollection(createNodePlatform(), {
    facts: () => ({ envoyUuid: 'e', agentVersion: '1' }),
  });
  const { traits } = await collection.collect();
  t.same(unknownPaths(traits, knownTraits, ''), []);
  t.same(Object.keys(knownTraits).sort(), [...collection.names].sort());
  for (const name of Object.keys(knownTraits.os!)) {
    t.ok(Object.hasOwn(traits.os as object, name), `os.${name} is collected`);
  }
});
