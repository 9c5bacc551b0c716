import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policySchemas } from '../../agent/policy/editor-schema/policy-schemas.ts';

/** Where the JSON Schemas for editors stand; the modeline of a policy file points here. */
export const schemaDirectory = new URL('../../docs/schema/', import.meta.url);

/** Name of a file of docs/schema -> its content. */
export function schemaFiles(): Map<string, string> {
  const files = Object.entries(policySchemas());
  return new Map(
    files.map(([kind, schema]) => [`${kind}.json`, `${JSON.stringify(schema, null, 1)}\n`]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(schemaDirectory, { recursive: true });
  for (const [name, text] of schemaFiles()) writeFileSync(new URL(name, schemaDirectory), text);
}
