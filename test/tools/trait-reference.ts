import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { traitSchemas } from '../../agent/policy/trait-schemas/registry.ts';
import type { TraitSchema } from '../../agent/policy/trait-schemas/schema.ts';

/** Where the reference of the traits stands. */
export const referencePath = fileURLToPath(
  new URL('../../docs/reference/traits.md', import.meta.url),
);

const introduction = `# Traits
<!-- Made by: node test/tools/trait-reference.ts -->

What the agent finds out about its machine by itself. Templates read \`{{ .Traits.os.family }}\`, conditions
\`traits.os.family\`; \`vigo traits [name]\` prints them. Names that a template cannot write with dots take \`index\`:
\`{{ index .Traits.packages "openssl" }}\`.

- **Refreshed**: *volatile* traits are looked at in every pass; *stable* ones in every tenth pass, or after five
  minutes if passes are rarer; *periodic* ones once an hour. \`vigo traits\` looks at all of them at once.
- **Told**: when the server is told. Policy on the node always sees the values of the last look; what the server
  shows, and what \`config plan\` computes with, is little more than an hour old. Something that changes all the time
  is told ten times and then every five minutes.
- A collector has five seconds (security_scan sixty). One that fails or hangs is logged, and its trait is missing
  until it works again.
- Fields that a machine does not tell are left out. \`*\` stands for the machine's own names, \`[]\` for the elements
  of a list.
`;

/** The text of the page. */
export function traitReference(): string {
  const schemas = [...traitSchemas.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = schemas.map(
    ({ name, summary, refresh }) => `| [\`${name}\`](#${name}) | ${summary} | ${refresh} |`,
  );
  const index = ['| Trait | What it tells | Refreshed |', '|---|---|---|', ...rows].join('\n');
  return [introduction, `${index}\n`, ...schemas.map(chapter)].join('\n');
}

function chapter({ name, summary, refresh, source, told, fields }: TraitSchema): string {
  const rows = Object.entries(fields).map(([path, { type, unit = '', description }]) => {
    return `| \`${path}\` | ${type} | ${unit} | ${description} |`;
  });
  return [
    `## ${name}\n`,
    `${summary} Refreshed: ${refresh}. Told ${told}.\n`,
    `From ${source}.\n`,
    '| Field | Type | Unit | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(referencePath), { recursive: true });
  writeFileSync(referencePath, traitReference());
}
