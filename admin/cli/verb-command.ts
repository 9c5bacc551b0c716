import { Command } from 'commander';

/** A command that puts examples before its usage: most who ask for help look for one to copy. */
export class VerbCommand extends Command {
  /** Command lines, as one would type them. */
  examples: readonly string[] = [];
  /** Whether `--watch` shows it again and again. */
  isWatchable = false;

  override createCommand(name?: string): VerbCommand {
    return new VerbCommand(name);
  }

  override helpInformation(context?: { error: boolean }): string {
    const usage = super.helpInformation(context);
    if (this.examples.length === 0 || context?.error === true) return usage;
    return `Examples:\n${this.examples.map((line) => `  ${line}\n`).join('')}\n${usage}`;
  }
}

/** The examples of a command of this program. */
export function examplesOf(command: Command): readonly string[] {
  return command instanceof VerbCommand ? command.examples : [];
}
