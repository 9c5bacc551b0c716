import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from '../../actors/publish/messages.ts';
import { placeFindings, policyKindOf } from '../../admin/cli/editor-schema/place-findings.ts';
import { readStackNames } from '../../admin/cli/editor-schema/read-stack-names.ts';
import { policySchemas } from '../../agent/policy/editor-schema/policy-schemas.ts';
import { flagFindings } from '../../agent/policy/editor-schema/stack-findings.ts';
import { narrowToStack } from '../../agent/policy/editor-schema/stack-names.ts';
import { type EditorDiagnostic, LanguageServer } from './language-server.ts';

/** Policy files of a stack: path -> text as an editor would show it. Links are not followed. */
export function policyFiles(directory: string, path = ''): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(directory, path), { withFileTypes: true })) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) {
      for (const [name, text] of policyFiles(directory, inner)) files.set(name, text);
    } else if (entry.isFile() && inner.endsWith('.vgo')) {
      files.set(inner, readFileSync(join(directory, inner), 'utf8'));
    }
  }
  return files;
}

/** Our modelines name the published schemas; these runs give others. */
const modeline = /^# yaml-language-server:/gm;
/** A hint about style, not about policy. */
const hint = /^Unused anchor /;

/**
 * What the real language server says of whole stacks: name -> "path: message". `validate` gives each
 * stack schemas with its own names and with what the validator finds, as
 * `vigocli config schema --stack --validate` writes them; without it the published schemas are used.
 */
export async function editorFindings(
  stacks: ReadonlyMap<string, string>,
  validate?: (directory: string) => Promise<readonly Diagnostic[]>,
): Promise<Map<string, string[]>> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-editor-'));
  const schemas: Record<string, string[]> = {};
  const documents: { name: string; path: string; place: string; text: string }[] = [];
  for (const [name, stack] of stacks) {
    const own = validate === undefined ? policySchemas() : ownSchemas(stack, await validate(stack));
    for (const [path, text] of policyFiles(stack)) {
      const kind = policyKindOf(path);
      const file = join(directory, `${validate === undefined ? 'any' : name}-${kind}.json`);
      writeFileSync(file, JSON.stringify(own[kind]));
      const place = join(directory, name, path);
      const uri = pathToFileURL(file).href;
      schemas[uri] = [...(schemas[uri] ?? []), place];
      documents.push({ name, path, place, text: text.replaceAll(modeline, '# modeline:') });
    }
  }
  const server = await LanguageServer.start(schemas);
  const findings = new Map([...stacks.keys()].map((name): [string, string[]] => [name, []]));
  try {
    const found = documents.map(async ({ name, path, place, text }) => {
      const diagnostics = await server.diagnostics(place, text);
      const broken = diagnostics.find(({ message }) => /^Schema .* is not valid/.test(message));
      if (broken !== undefined) throw new Error(broken.message);
      const said = diagnostics.filter(({ message }) => !hint.test(message));
      findings.get(name)?.push(...said.map((one) => `${path}: ${words(one)}`));
    });
    await Promise.all(found);
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true });
  }
  return findings;
}

function ownSchemas(stack: string, diagnostics: readonly Diagnostic[]) {
  const files = policyFiles(stack);
  const found = placeFindings(diagnostics, (path) => files.get(path));
  return flagFindings(narrowToStack(policySchemas(), readStackNames(stack)), found);
}

function words({ message, range }: EditorDiagnostic): string {
  return `${range.start.line + 1}:${range.start.character + 1} ${message}`;
}
