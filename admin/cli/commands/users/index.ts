import type { Command } from 'commander';
import { examples } from '../../examples.ts';
import type { OpenSession } from '../../session.ts';
import { addUserProofCommands } from '../keys.ts';
import { addUserChanges } from './change.ts';
import { addUserCreate } from './create.ts';
import { addUserViews } from './show.ts';

/** People: who may log in, and what they may do. */
export function addUserCommands(program: Command, open: OpenSession): void {
  const users = program
    .command('users')
    .alias('webusers')
    .description('accounts of people: roles, grants, passwords, keys, sessions');
  examples(users, [
    'vigocli users create grace --role operator',
    'vigocli users grant grace approver "web-*"',
    'vigocli users list',
  ]);
  addUserViews(users, open);
  addUserCreate(users, open);
  addUserChanges(users, open);
  addUserProofCommands(users, open);
}
