import type { Command } from 'commander';
import type { OpenSession } from '../../session.ts';
import { addApprovalCommands } from './approval.ts';
import { addDiffCommand } from './diff.ts';
import { addEditCommand } from './edit.ts';
import { addExampleCommands } from './examples.ts';
import { addFidelityCommand } from './fidelity.ts';
import { addFreezeCommands } from './freeze.ts';
import { addHistoryCommands } from './history.ts';
import { addPlanCommand } from './plan.ts';
import { addPromoteCommand } from './promote.ts';
import { addPublishCommand } from './publish.ts';
import { addRollbackCommand } from './rollback.ts';
import { addRolloutCommands } from './rollout.ts';
import { addSchemaCommand } from './schema.ts';
import { addSearchCommand } from './search.ts';
import { addStatusVerb } from './status.ts';
import { addTraceCommand } from './trace.ts';
import { addTreeCommand } from './tree.ts';
import { addValidateCommand } from './validate.ts';

/** Adds one or more verbs to `vigocli config`. */
type AddConfigCommand = (config: Command, open: OpenSession) => void;

/** The verbs of `vigocli config`, in the order of its help: a new verb is a file and a line here. */
const commands: readonly AddConfigCommand[] = [
  addValidateCommand,
  addDiffCommand,
  addPlanCommand,
  addPublishCommand,
  addFidelityCommand,
  addApprovalCommands,
  addStatusVerb,
  addHistoryCommands,
  addRollbackCommand,
  addRolloutCommands,
  addFreezeCommands,
  addEditCommand,
  addPromoteCommand,
  addTraceCommand,
  addTreeCommand,
  addSearchCommand,
  addSchemaCommand,
  addExampleCommands,
];

export function addConfigCommands(program: Command, open: OpenSession): void {
  const config = program
    .command('config')
    .description('the policy: check, compare, publish, roll back');
  for (const add of commands) add(config, open);
}
