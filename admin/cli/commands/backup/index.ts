import type { Command } from 'commander';
import type { OpenSession } from '../../session.ts';
import { addCreateCommand } from './create.ts';
import { addListCommand } from './list.ts';
import { addRestoreCommand } from './restore.ts';
import { addVerifyCommand } from './verify.ts';

export function addBackupCommands(program: Command, open: OpenSession): void {
  const backup = program
    .command('backup')
    .description('the server as one file: stack, secrets, keys and database');
  addCreateCommand(backup, open);
  addListCommand(backup, open);
  addVerifyCommand(backup, open);
  addRestoreCommand(backup, open);
}
