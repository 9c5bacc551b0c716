import { Command, CommanderError } from 'commander';
import { addCompareCommand } from './commands/compare.ts';
import { exitCodesHelp } from './commands/help.ts';
import { addModeCommands } from './commands/modes.ts';
import { addPlanCommand } from './commands/plan.ts';
import { BenchError } from './errors.ts';

const usageExitCode = 64;

function build(): Command {
  const program = new Command('vigobench')
    .description('Plans capacity: simulated envoys against a real vigosrv on this machine.')
    .addHelpText('after', exitCodesHelp)
    .exitOverride();
  addModeCommands(program);
  addPlanCommand(program);
  addCompareCommand(program);
  return program;
}

function explain(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
    return;
  }
  // An aborted wait rejects with an error of its own whose cause is the signal's reason.
  const { cause = error } = error as { cause?: unknown };
  const known = cause instanceof BenchError ? cause : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  const remedy = known ? `\n  ${known.remedy}` : '';
  process.stderr.write(`${known ? `${known.code}: ` : ''}${message}${remedy}\n`);
  process.exitCode ??= known?.exitCode ?? 1;
}

// Whoever read us, such as head(1), has seen enough.
process.stdout.on('error', () => process.exit());
try {
  await build().parseAsync();
} catch (error) {
  explain(error);
}
