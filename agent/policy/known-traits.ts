import type { NameTree } from './template/values.ts';
import { traitSchemas } from './trait-schemas/registry.ts';

/**
 * The traits that agents of this version collect, by name; null where the names below are the
 * machine's own. Publishing compares what templates and conditions read with it.
 */
export const knownTraits: NameTree = Object.fromEntries(
  [...traitSchemas.values()].map(({ name, fields }) => [name, namesOf(Object.keys(fields))]),
);

function namesOf(paths: readonly string[]): NameTree | null {
  if (paths.some((path) => path === '' || path.startsWith('*'))) return null;
  const below = new Map<string, string[]>();
  for (const path of paths) {
    const [first = '', ...rest] = path.split('.');
    const isList = first.endsWith('[]');
    const name = isList ? first.slice(0, -2) : first;
    below.set(name, [...(below.get(name) ?? []), isList ? '' : rest.join('.')]);
  }
  return Object.fromEntries([...below].map(([name, inner]) => [name, namesOf(inner)]));
}
