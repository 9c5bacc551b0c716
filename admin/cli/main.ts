import { styleText } from 'node:util';
import { Command, CommanderError } from 'commander';
import { AdminError } from '../errors.ts';
import { RemoteError } from './client.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addConfigCommands } from './commands/config.ts';
import { addEnvoyCommands } from './commands/envoys.ts';
import { addRunCommands } from './commands/runs.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTokenCommands } from './commands/tokens.ts';
import { exitCodeHelp, exitCodes } from './exit-codes.ts';
import { type GlobalOptions, Session } from './session.ts';

const examples = `
Examples:
  vigocli --home ./demo/server status
  vigocli tokens create --match "web-*"
  vigocli config publish -m "raise worker count"
  vigocli runs list --envoy web-1
  vigocli runs show
  vigocli audit verify
`;

function build(): Command {
  const program = new Command('vigocli')
    .description('Runs a Vigo server: tokens, envoys, policy, runs, audit.')
    .version('0.1.0', '-V, --version')
    .option('--home <dir>', 'home of a local server (also VIGO_HOME; default /srv/vigo)')
    .option('--server <url>', 'server, host:port (also VIGO_SERVER)')
    .option('--token-file <file>', 'file with the API token (also VIGO_TOKEN_FILE)')
    .option('--ca-file <file>', "file with the server's CA certificate (also VIGO_CA_FILE)")
    .option('--json', 'print JSON for programs')
    .option('--plain', 'print tab-separated lines for cut and awk')
    .option('--no-input', 'never ask; fail instead')
    .addHelpText('after', `${examples}\n${exitCodeHelp}`)
    .showSuggestionAfterError()
    .exitOverride();
  const session = () => new Session(program.opts<GlobalOptions>());
  addStatusCommand(program, session);
  addTokenCommands(program, session);
  addEnvoyCommands(program, session);
  addConfigCommands(program, session);
  addRunCommands(program, session);
  addAuditCommands(program, session);
  overrideExits(program);
  return program;
}

/** commander's own exit code for a wrong command line is 1; ours is 64, for sub-commands too. */
function overrideExits(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride();
    overrideExits(child);
  }
}

function complain(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const remote = error instanceof RemoteError ? error : undefined;
  const known = error instanceof AdminError ? error : undefined;
  const code = remote?.problem.code ?? known?.code ?? 'API_INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const remedy = remote?.problem.remedy ?? known?.remedy ?? '';
  if (json) {
    const details = remote?.problem.details ?? known?.details;
    process.stderr.write(`${JSON.stringify({ code, message, remedy, details })}\n`);
  } else {
    const trace = remote ? styleText('gray', ` (trace ${remote.problem.traceId})`) : '';
    process.stderr.write(`${styleText('red', code)}: ${message}${trace}\n`);
    if (remedy) process.stderr.write(`${remedy}\n`);
  }
  return remote?.exitCode ?? known?.exitCode ?? exitCodes.error;
}

const program = build();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = complain(error, program.opts<GlobalOptions>().json === true);
}
