import type { Command } from 'commander';
import type { OpenSession } from '../../session.ts';
import { addHistoryCommand } from './history.ts';
import { addPublishCommand } from './publish.ts';
import { addValidateCommand } from './validate.ts';

/** Adds one or more verbs to `vigocli config`. */
type AddConfigCommand = (config: Command, open: OpenSession) => void;

/** The verbs of `vigocli config`, in the order of its help: a new verb is a file and a line here. */
const commands: readonly AddConfigCommand[] = [
  addValidateCommand,
  addPublishCommand,
  addHistoryCommand,
];

export function addConfigCommands(program: Command, open: OpenSession): void {
  const config = program.command('config').description('the policy: check, publish, history');
  for (const add of commands) add(config, open);
}
