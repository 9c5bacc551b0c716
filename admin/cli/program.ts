import type { Command } from 'commander';
import { addAuditCommands } from './commands/audit.ts';
import { addAuthCommands } from './commands/auth.ts';
import { addBackupCommands } from './commands/backup/index.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommands } from './commands/config/index.ts';
import { addContextCommands } from './commands/context.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEnvoyCommands } from './commands/envoys/index.ts';
import { addManCommand } from './commands/man.ts';
import { addReleaseCommands } from './commands/releases/index.ts';
import { addRunCommands } from './commands/runs.ts';
import { addSecretCommands } from './commands/secrets.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTokenCommands } from './commands/tokens.ts';
import { addUserCommands } from './commands/users/index.ts';
import { examples } from './examples.ts';
import { exitCodeHelp } from './exit-codes.ts';
import type { GlobalOptions, OpenSession, Output } from './session.ts';
import { terminalWidth } from './terminal-width.ts';
import { VerbCommand } from './verb-command.ts';
import { completeVerbs } from './verb-examples.ts';

const topExamples = [
  'vigocli --home ./demo/server status',
  'vigocli tokens create --match "web-*"',
  'vigocli config publish -m "raise worker count"',
  'vigocli runs list --envoy web-1',
  'vigocli doctor',
  'vigocli backup create --note "before the upgrade"',
];

/** Groups of commands, in the order of the help: a new group is a file and a line here. */
const commands: readonly ((program: Command, open: OpenSession) => void)[] = [
  addStatusCommand,
  addTokenCommands,
  addEnvoyCommands,
  addConfigCommands,
  addSecretCommands,
  addReleaseCommands,
  addRunCommands,
  addAuditCommands,
  addBackupCommands,
  addDoctorCommand,
  addAuthCommands,
  addUserCommands,
  addContextCommands,
];

/**
 * The whole command tree. Parsing throws CommanderError; nothing is printed for it. `output` takes what commands
 * print instead of the standard output.
 */
export function buildProgram(output?: Output): Command {
  const program = new VerbCommand('vigocli')
    .description('Runs a Vigo server: tokens, envoys, policy, runs, audit.')
    .version('0.1.0', '-V, --version')
    .option('--context <name>', 'server by its name in your list (also VIGO_CONTEXT)')
    .option('--home <dir>', 'home of a local server (also VIGO_HOME; default /srv/vigo)')
    .option('--server <url>', 'server, host:port (also VIGO_SERVER)')
    .option('--token-file <file>', 'file with the API token (also VIGO_TOKEN_FILE)')
    .option('--ca-file <file>', "file with the server's CA certificate (also VIGO_CA_FILE)")
    .option('--json', 'print JSON for programs')
    .option('--plain', 'print tab-separated lines for cut and awk')
    .option('--no-input', 'never ask; fail and say what was missing')
    .option('-q, --quiet', 'print results and errors only')
    .addHelpText('after', `\n${exitCodeHelp}`)
    .helpCommand('help [command]', 'show the usage of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      getOutHelpWidth: terminalWidth,
      getErrHelpWidth: terminalWidth,
      outputError: () => {},
    })
    .showSuggestionAfterError()
    .exitOverride();
  const open: OpenSession = async () => {
    const { Session } = await import('./session.ts');
    return new Session(program.opts<GlobalOptions>(), output);
  };
  for (const add of commands) add(program, open);
  addCompletionCommand(program);
  addManCommand(program);
  examples(program, topExamples);
  completeVerbs(program);
  return program;
}
