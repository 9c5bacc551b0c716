import { Command } from 'commander';
import { ServerError } from '../errors.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addConfigCommands, addInitCommand } from './commands/init.ts';
import { addProvisionCommand } from './commands/provision.ts';
import { type StartFlags, start } from './commands/start.ts';
import { overridesFromEnvironment, overridesFromFlags } from './config/load.ts';
import { serverVersion } from './version.ts';

const defaultHome = '/srv/vigo';

function program(): Command {
  const command = new Command('vigosrv')
    .description('The server that keeps a fleet in its declared state.')
    .version(serverVersion());
  command
    .command('start', { isDefault: true })
    .description('serve agents and people until stopped')
    .option('--home <directory>', 'the server home', process.env.VIGO_HOME ?? defaultHome)
    .option('--config <file>', 'instead of server.yaml in the home', process.env.VIGO_CONFIG_FILE)
    .option('--grpc-listen <address>', 'where agents connect, host:port')
    .option('--api-listen <address>', 'where people connect, host:port')
    .option('--shards <count>', 'threads that serve agents; 0 = one per core')
    .option('--interval <duration>', 'how often agents check in, such as 15s')
    .option('--log-level <level>', 'trace, debug, info, warn or error')
    .option('--log-format <format>', 'auto, json or human')
    .option('--set <key=value>', 'override any key of server.yaml; repeatable', collect, [])
    .action((flags: StartFlags & { set: string[] }) =>
      start(flags, [...overridesFromEnvironment(process.env), ...overridesFromFlags(flags.set)]),
    );
  const home = process.env.VIGO_HOME ?? defaultHome;
  addInitCommand(command, home);
  addConfigCommands(command, home);
  addProvisionCommand(command, home);
  addAuditCommands(command, home);
  return command;
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

function fail(error: unknown): void {
  if (error instanceof ServerError) {
    process.stderr.write(`vigosrv: ${error.message} (${error.code})\n  ${error.remedy}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  process.stderr.write(`vigosrv: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}

program()
  .parseAsync()
  .catch((error) => {
    fail(error);
    // Threads that were started before the failure must not keep the process.
    process.exit();
  });
