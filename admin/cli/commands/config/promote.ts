import { join } from 'node:path';
import type { Command } from 'commander';
import type { PublishResult } from '../../../../actors/publish/messages.ts';
import { AdminError } from '../../../errors.ts';
import { askLetter, mayAsk } from '../../ask.ts';
import { examples } from '../../examples.ts';
import { exitCodes } from '../../exit-codes.ts';
import { readOptional, stackDirectoryOf, validateChanged } from '../../local-stack.ts';
import type { Promotion } from '../../promotion.ts';
import { replaceFile } from '../../replace-file.ts';
import type { OpenSession, Session } from '../../session.ts';
import { type LocalFile, readStackDirectory } from '../../stack-directory.ts';
import { colourDiff, unifiedDiff } from '../../text-diff.ts';
import { plural } from '../../words.ts';
import { tellPublished } from './publish.ts';
import { errorsIn, printDiagnostics, publishTimeoutMs, showingDiagnostics } from './shared.ts';

interface PromoteOptions {
  readonly from: string;
  readonly to: string;
  readonly module?: string;
  readonly exact?: boolean;
  readonly stack?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly publish?: boolean;
  readonly message: string;
}

interface ChangedFile extends LocalFile {
  readonly before: string;
  readonly diff: string;
}

export function addPromoteCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('promote')
    .description("copy one environment's overrides to another, in the files of the stack")
    .requiredOption('--from <environment>', 'where the values are')
    .requiredOption('--to <environment>', 'where they shall be')
    .option('--module <name>', 'only the overrides in this module')
    .option('--exact', 'also take away what only the target has')
    .option('--stack <dir>', "a stack on this machine, instead of the local server's")
    .option('--dry-run', 'show the difference and write nothing')
    .option('--yes', 'do not ask')
    .option('--publish', 'publish the stack afterwards, as a promotion')
    .option('-m, --message <text>', 'why, for the history', '')
    .action(async (options: PromoteOptions) => promote(await open(), options));
  examples(command, [
    'vigocli config promote --from staging --to production --dry-run',
    'vigocli config promote --from staging --to production --module nginx',
    'vigocli config promote --from staging --to production --yes --publish -m "release 12"',
  ]);
}

async function promote(it: Session, options: PromoteOptions): Promise<void> {
  const directory = stackDirectoryOf(it, options.stack);
  const { environmentsIn, promoteText } = await import('../../promotion.ts');
  const promotion: Promotion = { ...options, exact: options.exact === true };
  const chosen = chosenFiles(directory, options.module);
  const known = new Set(chosen.flatMap(({ path, text }) => environmentsIn(path, text)));
  if (!known.has(options.from)) throw unknownEnvironment(options.from, [...known].sort());
  const changed = chosen.flatMap(({ path, text }): ChangedFile[] => {
    const after = promoteText(path, text, promotion);
    if (after === undefined) return [];
    return [{ path, text: after, before: text, diff: unifiedDiff(path, text, after) }];
  });
  const files = changed.map(({ path, diff }) => ({ path, diff }));
  if (changed.length === 0) {
    it.print({ files, written: false }, () => `${options.to} has all that ${options.from} has.`);
    return;
  }
  for (const { diff } of changed) it.note(colourDiff(diff));
  const { diagnostics } = await validateChanged(it, directory, changed);
  printDiagnostics(it, diagnostics);
  const errors = errorsIn(diagnostics);
  if (errors > 0) throw new AdminError('CLI_STACK_INVALID', plural(errors, 'error'));
  if (options.dryRun || !(await agreed(it, options, changed.length))) {
    process.exitCode = exitCodes.changesPending;
    it.print(
      { files, written: false },
      () => `Nothing written: ${plural(changed.length, 'file')}.`,
    );
    return;
  }
  write(directory, changed);
  if (options.publish) await publish(it, options);
  else {
    const words = `Promoted ${options.from} to ${options.to} in ${plural(changed.length, 'file')}.`;
    it.print({ files, written: true }, () => `${words} vigocli config publish`);
  }
}

/** A slip would look as if everything were promoted already. */
function unknownEnvironment(name: string, known: readonly string[]): AdminError {
  const remedy = known.length === 0 ? undefined : `there are: ${known.join(', ')}`;
  const detail = `overrides of an environment ${name}`;
  return new AdminError('API_NOT_FOUND', detail, undefined, remedy);
}

/** A module is a file of this name, or one that says so. */
function chosenFiles(directory: string, module: string | undefined): LocalFile[] {
  const files = readStackDirectory(directory).filter(({ path }) => path.endsWith('.vgo'));
  if (module === undefined) return files;
  const inModules = files.filter(({ path }) => path.startsWith('modules/'));
  const said = inModules.filter(({ text }) => moduleName(text) === module);
  const named = inModules.filter(
    ({ path, text }) => moduleName(text) === undefined && path.endsWith(`/${module}.vgo`),
  );
  const found = [...said, ...named];
  if (found.length === 0) throw new AdminError('API_NOT_FOUND', `module ${module} in ${directory}`);
  return found;
}

function moduleName(text: string): string | undefined {
  return /^(?:name|configcrate): *["']?([^"'#\s]+)/m.exec(text)?.[1];
}

async function agreed(it: Session, options: PromoteOptions, files: number): Promise<boolean> {
  if (options.yes) return true;
  if (!mayAsk(it)) {
    const detail = `writing ${plural(files, 'file')} was not confirmed`;
    throw new AdminError('CLI_USAGE', detail, undefined, 'add --yes, or --dry-run to look only');
  }
  return (await askLetter(`Write ${plural(files, 'file')}? [y/N] `)) === 'y';
}

function write(directory: string, changed: readonly ChangedFile[]): void {
  for (const { path, before } of changed) {
    if (readOptional(join(directory, path)) !== before) {
      throw new AdminError('CLI_FILE_CHANGED', path);
    }
  }
  for (const { path, text } of changed) replaceFile(join(directory, path), text);
}

async function publish(it: Session, options: PromoteOptions): Promise<void> {
  const { from, to, stack } = options;
  const message = options.message || `promote ${from} to ${to}`;
  const files = stack === undefined ? {} : { files: readStackDirectory(stack) };
  const body = { message, promoted: { from, to }, ...files };
  const result = await showingDiagnostics(it, () =>
    it.client.post<PublishResult>('/api/v1/config/publish', body, publishTimeoutMs),
  );
  await tellPublished(it, result, false);
}
