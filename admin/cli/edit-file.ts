import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { AdminError } from '../errors.ts';

const privateDirectory = 0o700;
const privateFile = 0o600;

/** The directory of unfinished edits: of the person, not of the stack, and of nobody else. */
export function editsDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  const state = environment.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  return join(state, 'vigo', 'edits');
}

/** A copy that is edited instead of the file. It stays until it is removed: nothing typed is lost. */
export class EditCopy {
  readonly path: string;

  /** `name` ends the name of the copy, so that editors know the kind of file. */
  constructor(directory: string, name: string, text: string) {
    mkdirSync(directory, { recursive: true, mode: privateDirectory });
    chmodSync(directory, privateDirectory);
    this.path = join(directory, `${randomBytes(4).toString('hex')}-${basename(name)}`);
    writeFileSync(this.path, text, { mode: privateFile, flag: 'wx' });
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

export function editorOf(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return option || environment.VISUAL || environment.EDITOR || 'vi';
}

/** Runs the editor, which may be a command with arguments, as git does. Throws CLI_EDITOR_FAILED. */
export function runEditor(editor: string, path: string): void {
  const run = spawnSync('/bin/sh', ['-c', `${editor} "$@"`, editor, path], { stdio: 'inherit' });
  if (run.error) throw new AdminError('CLI_EDITOR_FAILED', `${editor}: ${run.error.message}`);
  if (run.status !== 0) {
    const how = run.signal ? `signal ${run.signal}` : `exit code ${run.status}`;
    throw new AdminError('CLI_EDITOR_FAILED', `${editor}: ${how}`);
  }
}
