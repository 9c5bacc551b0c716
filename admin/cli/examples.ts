import type { Command } from 'commander';
import { VerbCommand } from './verb-command.ts';

/** Puts examples before the usage: most who ask for help look for one to copy. */
export function examples(command: Command, lines: readonly string[]): Command {
  if (command instanceof VerbCommand) command.examples = lines;
  return command;
}
