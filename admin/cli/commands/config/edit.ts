import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { AdminError } from '../../../errors.ts';
import { askLetter, mayAsk } from '../../ask.ts';
import { EditCopy, editorOf, editsDirectory, runEditor } from '../../edit-file.ts';
import { examples } from '../../examples.ts';
import { readOptional, stackDirectoryOf, stackPath, validateChanged } from '../../local-stack.ts';
import { replaceFile } from '../../replace-file.ts';
import type { OpenSession, Session } from '../../session.ts';
import { printable } from '../../terminal-text.ts';
import { colourDiff, unifiedDiff } from '../../text-diff.ts';
import { plural } from '../../words.ts';
import { errorsIn, printDiagnostics } from './shared.ts';

interface EditOptions {
  readonly stack?: string;
  readonly editor?: string;
  readonly check: boolean;
}

type Decision = 'save' | 'edit' | 'discard';

export function addEditCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('edit')
    .argument('<file>', 'of the stack, such as modules/nginx.vgo; it need not exist')
    .description('edit a file of the stack, and save it when the stack is valid with it')
    .option('--stack <dir>', "a stack on this machine, instead of the local server's")
    .option('--editor <command>', 'default: VISUAL, EDITOR, vi')
    .option('--no-check', 'save without asking the server whether the stack is valid')
    .action(async (name: string, options: EditOptions) => edit(await open(), name, options));
  examples(command, [
    'vigocli config edit modules/nginx.vgo',
    'vigocli config edit production/web.vgo --stack ./my-stack --editor "code --wait"',
  ]);
}

async function edit(it: Session, name: string, options: EditOptions): Promise<void> {
  const directory = stackDirectoryOf(it, options.stack);
  const path = stackPath(directory, name);
  const file = join(directory, path);
  const before = readOptional(file);
  const copy = new EditCopy(editsDirectory(process.env), path, before ?? '');
  try {
    const after = await editUntilDecided(it, copy, directory, path, before ?? '', options);
    if (after === undefined || after === (before ?? '')) {
      if (after !== undefined) copy.remove();
      it.print({ path, changed: false }, () =>
        after === undefined ? 'Discarded.' : 'Nothing changed.',
      );
      if (after === undefined) it.note(`What you wrote is kept in ${copy.path}`);
      return;
    }
    if (readOptional(file) !== before) throw new AdminError('CLI_FILE_CHANGED', path);
    replaceFile(file, after);
    copy.remove();
    it.note(colourDiff(unifiedDiff(path, before ?? '', after)));
    it.print({ path, changed: true }, () => `Saved ${printable(path)}. vigocli config publish`);
  } catch (error) {
    it.note(`What you wrote is kept in ${copy.path}`);
    throw error;
  }
}

/** The text to save; undefined when the person gave up. */
async function editUntilDecided(
  it: Session,
  copy: EditCopy,
  directory: string,
  path: string,
  before: string,
  options: EditOptions,
): Promise<string | undefined> {
  const editor = editorOf(options.editor, process.env);
  for (;;) {
    runEditor(editor, copy.path);
    const text = readFileSync(copy.path, 'utf8');
    if (text === before || !options.check) return text;
    const decision = await decide(it, directory, path, text);
    if (decision === 'save') return text;
    if (decision === 'discard') return undefined;
  }
}

/** A valid stack is saved. With errors the person decides; without a person it is an error. */
async function decide(
  it: Session,
  directory: string,
  path: string,
  text: string,
): Promise<Decision> {
  const { diagnostics } = await validateChanged(it, directory, [{ path, text }]);
  printDiagnostics(it, diagnostics);
  const errors = errorsIn(diagnostics);
  if (errors === 0) return 'save';
  if (!mayAsk(it)) throw new AdminError('CLI_STACK_INVALID', plural(errors, 'error'));
  for (;;) {
    const question = `${plural(errors, 'error')}: [e]dit again, [s]ave all the same or [d]iscard? `;
    const letter = await askLetter(question);
    if (letter === 'e' || letter === '') return 'edit';
    if (letter === 's') return 'save';
    if (letter === 'd') return 'discard';
  }
}
