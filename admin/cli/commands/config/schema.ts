import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import {
  type PolicyKind,
  policyKinds,
  policySchemas,
} from '../../../../agent/policy/editor-schema/policy-schemas.ts';
import {
  flagFindings,
  type StackFinding,
} from '../../../../agent/policy/editor-schema/stack-findings.ts';
import { narrowToStack } from '../../../../agent/policy/editor-schema/stack-names.ts';
import { AdminError } from '../../../errors.ts';
import { placeFindings } from '../../editor-schema/place-findings.ts';
import { readStackNames } from '../../editor-schema/read-stack-names.ts';
import { validateChanged } from '../../local-stack.ts';
import { RemoteError } from '../../remote-error.ts';
import type { OpenSession, Session } from '../../session.ts';
import { readStackDirectory } from '../../stack-directory.ts';
import { jsonText } from '../../terminal-text.ts';
import { plural } from '../../words.ts';

interface Options {
  readonly stack?: string;
  readonly validate?: boolean;
  readonly write?: string;
}

export function addSchemaCommand(config: Command, open: OpenSession): void {
  config
    .command('schema')
    .description('print or write the JSON Schemas that editors check policy files with')
    .addArgument(new Argument('[kind]', 'which kind of policy file').choices(policyKinds))
    .option('--stack <dir>', 'narrow them to the names of this stack')
    .option('--validate', "with --stack: also flag, at its place, what the server's check finds")
    .option('--write <dir>', 'write <kind>.json files into this directory')
    .action(async (kind: PolicyKind | undefined, options: Options) => {
      const it = await open();
      const schemas = await schemasFor(it, options);
      const wanted = kind === undefined ? policyKinds : [kind];
      if (options.write === undefined) {
        const printed = kind === undefined ? schemas : schemas[kind];
        it.print(printed, () => jsonText(printed, 2));
        return;
      }
      const files = wanted.map((one) => join(options.write ?? '', `${one}.json`));
      writeAll(
        options.write,
        files,
        wanted.map((one) => schemas[one]),
      );
      it.print({ files }, () => `Wrote ${plural(files.length, 'schema')}: ${files.join(', ')}`);
    });
}

async function schemasFor(it: Session, { stack, validate }: Options) {
  const schemas = policySchemas();
  if (stack === undefined) {
    if (!validate) return schemas;
    throw new AdminError('CLI_USAGE', '--validate is about a stack: name it with --stack DIR');
  }
  try {
    const narrowed = narrowToStack(schemas, readStackNames(stack));
    return validate ? flagFindings(narrowed, await findingsOf(it, stack)) : narrowed;
  } catch (error) {
    if (error instanceof AdminError || error instanceof RemoteError) throw error;
    throw new AdminError('CLI_FILE_UNREADABLE', `${stack}: ${reason(error)}`);
  }
}

async function findingsOf(it: Session, stack: string): Promise<StackFinding[]> {
  const { diagnostics } = await validateChanged(it, stack, []);
  const texts = new Map(readStackDirectory(stack).map(({ path, text }) => [path, text]));
  return placeFindings(diagnostics, (path) => texts.get(path));
}

function writeAll(directory: string, files: readonly string[], schemas: readonly unknown[]): void {
  try {
    mkdirSync(directory, { recursive: true });
    for (const [index, file] of files.entries()) {
      writeFileSync(file, `${JSON.stringify(schemas[index], null, 1)}\n`);
    }
  } catch (error) {
    throw new AdminError('CLI_FILE_UNWRITABLE', `${directory}: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
