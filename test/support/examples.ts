import { readdirSync } from 'node:fs';
import { resourceSchemas } from '../../agent/policy/resource-schemas/registry.ts';

const root = new URL('../../examples/', import.meta.url);

/** The overview's third sample is an application that docker compose runs. */
const needs: Readonly<Record<string, string>> = { samples: 'docker_compose' };

/** Example -> its directory; without those that use a type which this build does not have. */
export function examplesOfKnownTypes(): Map<string, string> {
  const names = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => needs[name] === undefined || resourceSchemas.has(needs[name]));
  return new Map(names.map((name) => [name, new URL(name, root).pathname]));
}
