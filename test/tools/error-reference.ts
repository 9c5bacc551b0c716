/** Writes docs/errors.md from the registries: `node test/tools/error-reference.ts`. A law checks it. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeServerError, serverErrorCodes } from '../../actors/errors.ts';
import { adminErrorRegistry } from '../../admin/errors.ts';
import { agentErrorCodes } from '../../agent/errors.ts';
import { benchErrorRegistry } from '../../bench/errors.ts';
import { runtimeErrorCodes } from '../../runtime/errors.ts';

interface Entry {
  readonly message: string;
  readonly remedy?: string;
}

type Section = readonly [title: string, entries: readonly (readonly [string, Entry])[]];

export const errorSections: readonly Section[] = [
  ['Runtime (`runtime/errors.ts`)', [...runtimeErrorCodes()]],
  ['Agent, wire contract, policy (`agent/errors.ts`)', [...agentErrorCodes()]],
  [
    'Server (`actors/errors.ts`)',
    serverErrorCodes().map((code) => [code, describeServerError(code)] as const),
  ],
  ['REST API and vigocli (`admin/errors.ts`)', Object.entries(adminErrorRegistry)],
  ['vigobench (`bench/errors.ts`)', Object.entries(benchErrorRegistry)],
];

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export function errorReference(): string {
  const parts = errorSections.map(([title, entries]) => {
    const rows = [...entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, entry]) => {
        return `| \`${code}\` | ${cell(entry.message)} | ${cell(entry.remedy ?? '')} |`;
      });
    return `## ${title}\n\n| Code | What happened | What to do |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  const head =
    '# Errors\n\nEvery coded refusal and failure. The codes are stable: programs may match them. Words in braces are\n' +
    'filled in. Made from the registries by `node test/tools/error-reference.ts`.\n';
  return [head, ...parts].join('\n');
}

export const errorReferenceFile = new URL('../../docs/errors.md', import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(errorReferenceFile, errorReference());
}
