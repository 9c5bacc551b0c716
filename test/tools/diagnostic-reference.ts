/** Writes docs/diagnostics.md: `node test/tools/diagnostic-reference.ts`. A test checks it. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type DiagnosticMeaning,
  diagnosticCodes,
} from '../../actors/publish/stack/diagnostic-codes.ts';

export const diagnosticReferenceFile = new URL('../../docs/diagnostics.md', import.meta.url);

const head = `# Diagnostics of a stack

What \`vigocli config validate\`, \`plan\` and \`publish\` say about the files of a stack. One run names every
mistake: \`file:line:column: error: reason [CODE]\`, then the line with a caret, other places that belong to it,
and what was probably meant. Warnings do not stop a publish. The codes are stable.

Of each code there is a small broken stack in \`test/corpus/broken/\`, unless files alone cannot cause it.
Made from \`actors/publish/stack/diagnostic-codes.ts\` by \`node test/tools/diagnostic-reference.ts\`.

| Code | What is wrong | Example | What to do |
|---|---|---|---|
`;

export function diagnosticReference(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ↵ ');
  const rows = Object.entries<DiagnosticMeaning>(diagnosticCodes).map(
    ([code, { meaning, example, remedy }]) =>
      `| \`${code}\` | ${cell(meaning)} | ${cell(example)} | ${cell(remedy)} |\n`,
  );
  return head + rows.join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(diagnosticReferenceFile, diagnosticReference());
}
