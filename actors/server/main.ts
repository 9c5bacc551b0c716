import { Command } from 'commander';
import { isCodedError } from '../../runtime/host.ts';
import { ServerError } from '../errors.ts';
import type { AuditSourceFlags, VerifyFlags } from './commands/audit.ts';
import type { BackupFlags, RestoreFlags } from './commands/backup.ts';
import type { DoctorFlags } from './commands/doctor.ts';
import type { ProvisionFlags } from './commands/provision.ts';
import type { StartFlags } from './commands/start.ts';
import { useHomeCompileCache } from './compile-cache.ts';
import { serverVersion } from './version.ts';

const defaultHome = '/srv/vigo';

/** Commands load what they need when they run, so that each starts fast. */
function program(): Command {
  const command = new Command('vigosrv')
    .description('The server that keeps a fleet in its declared state.')
    .version(serverVersion());
  const home = [
    '--home <directory>',
    'the server home',
    process.env.VIGO_HOME ?? defaultHome,
  ] as const;
  command
    .command('start', { isDefault: true })
    .description('serve agents and people until stopped')
    .option(...home)
    .option('--config <file>', 'instead of server.yaml in the home', process.env.VIGO_CONFIG_FILE)
    .option('--grpc-listen <address>', 'where agents connect, host:port; port 0 = any')
    .option('--api-listen <address>', 'where people connect, host:port; port 0 = any')
    .option('--shards <count>', 'threads that serve agents; 0 = one per core')
    .option('--interval <duration>', 'how often agents check in, such as 15s')
    .option('--log-level <level>', 'trace, debug, info, warn or error')
    .option('--log-format <format>', 'auto, json or human')
    .option('--set <key=value>', 'any key of server.yaml; may be repeated', collect, [])
    .action(async (flags: StartFlags) => {
      useHomeCompileCache(flags.home);
      await (await import('./commands/start.ts')).start(flags);
    });
  command
    .command('init')
    .description('make the home, its CA and its keys, without serving')
    .option(...home)
    .action(async (flags: { home: string }) => (await import('./commands/init.ts')).init(flags));
  command
    .command('provision')
    .description(
      'make envoy identities in advance, for images and load tests; the server is stopped',
    )
    .option(...home)
    .requiredOption('--count <number>', 'how many')
    .option('--prefix <text>', 'host names are the prefix and a number', 'envoy-')
    .option('--first <number>', 'the first number', '1')
    .requiredOption('--out <file>', 'where keys and certificates are written; must not exist')
    .action(async (flags: ProvisionFlags) =>
      (await import('./commands/provision.ts')).provision(flags),
    );
  command
    .command('setup-code')
    .description('print the code that makes the first administrator, on a server without accounts')
    .option(...home)
    .action(async (flags: { home: string }) =>
      (await import('./commands/setup-code.ts')).printSetupCode(flags),
    );
  addAudit(command, home);
  addBackup(command, home);
  command
    .command('doctor')
    .description('look for what is wrong with a home; needs no running server')
    .option(...home)
    .option('--json', 'print JSON')
    .action(async (flags: DoctorFlags) => (await import('./commands/doctor.ts')).doctor(flags));
  addConfiguration(command);
  command
    .command('version')
    .description('print the version')
    .action(() => console.log(serverVersion()));
  return command;
}

function addAudit(command: Command, home: readonly [string, string, string]): void {
  const audit = command.command('audit').description('the audit log; needs no running server');
  audit
    .command('verify')
    .description('check the whole hash chain')
    .option(...home)
    .option('--database <file>', 'instead of the database in the home')
    .option('--export <file>', 'instead of a database: JSON lines')
    .option('--expect-head <hash>', 'a head noted earlier, which the log must contain')
    .option('--json', 'print the head as JSON')
    .action(async (flags: VerifyFlags) =>
      (await import('./commands/audit.ts')).printVerified(flags),
    );
  audit
    .command('export')
    .description('print the log as JSON lines')
    .option(...home)
    .option('--database <file>', 'instead of the database in the home')
    .action(async (flags: AuditSourceFlags) =>
      (await import('./commands/audit.ts')).printExport(flags),
    );
}

function addBackup(command: Command, home: readonly [string, string, string]): void {
  const backup = command.command('backup').description('backups; needs no running server');
  const withSource = (verb: Command) =>
    verb
      .option('--passphrase-file <file>', 'file with the passphrase of an encrypted backup')
      .option('--identity <file>', 'file with the age key of an encrypted backup')
      .option('--key <hex>', 'public key of the server that must have made it')
      .option('--json', 'print JSON, also for what went wrong');
  withSource(backup.command('verify <file>'))
    .description('read a backup whole and compare it with its signed manifest')
    .action(async (file: string, flags: BackupFlags) =>
      (await import('./commands/backup.ts')).verifyBackupFile(file, flags),
    );
  withSource(backup.command('restore <file>'))
    .description('put a backup in the place of a home; the server is stopped')
    .option(...home)
    .option('--force', 'replace a server that lives there; what is replaced is kept')
    .action(async (file: string, flags: RestoreFlags) =>
      (await import('./commands/backup.ts')).restoreBackupFile(file, flags),
    );
}

function addConfiguration(command: Command): void {
  command
    .command('config')
    .description('the configuration')
    .command('sample')
    .description('print server.yaml with every key, its default and its meaning')
    .action(async () => {
      const { sampleConfig } = await import('./config/sample.ts');
      process.stdout.write(sampleConfig());
    });
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function fail(error: unknown): void {
  if (error instanceof ServerError) {
    process.stderr.write(`vigosrv: ${error.message} (${error.code})\n  ${error.remedy}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  process.exitCode = 1;
  if (isCodedError(error)) {
    process.stderr.write(`vigosrv: ${error.message} (${error.code})\n  ${error.remedy}\n`);
    return;
  }
  process.stderr.write(`vigosrv: ${error instanceof Error ? error.stack : String(error)}\n`);
}

program()
  .parseAsync()
  .catch((error: unknown) => {
    fail(error);
    // Threads that were started before the failure must not keep the process.
    process.exit();
  });
