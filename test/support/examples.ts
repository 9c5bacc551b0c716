import { readdirSync } from 'node:fs';

const root = new URL('../../examples/', import.meta.url);

/** Example -> its directory. */
export function exampleStacks(): Map<string, string> {
  const names = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  return new Map(names.map((name) => [name, new URL(name, root).pathname]));
}
