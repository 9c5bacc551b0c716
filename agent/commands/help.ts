import type { CommandSpec, OptionSpec } from './arguments.ts';

const exitText = `Exit codes:
  0 done   1 error   2 changes pending (dry run)   3 some resources failed or are blocked
  4 refused   5 server unreachable   64 usage
`;

/** The page of one command, or of the program when none is named. */
export function helpText(
  commands: Readonly<Record<string, CommandSpec>>,
  globals: Readonly<Record<string, OptionSpec>>,
  command: string | undefined,
): string {
  const spec = command === undefined ? undefined : commands[command];
  const options = `Options:\n${optionLines({ ...spec?.options, ...globals })}`;
  if (command !== undefined && spec !== undefined) {
    const operands = spec.operands === undefined ? '' : ` ${spec.operands}`;
    const details = spec.details === undefined ? '' : `${spec.details}\n\n`;
    return `vigo ${command}${operands} - ${spec.summary}\n\n${details}${options}\n${exitText}`;
  }
  const list = Object.entries(commands)
    .map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}\n`)
    .join('');
  return (
    'vigo keeps this machine in the state that its owners declared.\n\n' +
    `Usage: vigo <command> [options]\n\nCommands:\n${list}\n${options}\n` +
    `Options may also stand in <config-dir>/config as "key = value"; the command line wins.\n${exitText}`
  );
}

function optionLines(options: Readonly<Record<string, OptionSpec>>): string {
  return Object.entries(options)
    .map(([name, { value, description }]) => {
      const usage = value === undefined ? `--${name}` : `--${name} <${value}>`;
      return `  ${usage.padEnd(28)}${description}\n`;
    })
    .join('');
}
