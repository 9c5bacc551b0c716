import type { Command } from 'commander';

/** Puts examples before the usage: most who ask for help look for one to copy. */
export function examples(command: Command, lines: readonly string[]): Command {
  const text = lines.map((line) => `  ${line}`).join('\n');
  return command.addHelpText('before', `Examples:\n${text}\n`);
}
