import { Argument, type Command } from 'commander';

/** Writes a completion script for the shell; it is made from the command tree itself. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .addArgument(
      new Argument('<shell>', 'the shell that will read it').choices(['bash', 'zsh', 'fish']),
    )
    .description('print a script that completes commands and options in your shell')
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('../completion.ts');
      process.stdout.write(completionScript(program, shell));
    });
}
