import type { Command } from 'commander';
import type {
  Diagnostic,
  PublishResult,
  ValidationResult,
} from '../../../actors/publish/messages.ts';
import type { PolicyVersionView } from '../../api/backend.ts';
import { describeDiagnostic } from '../diagnostic.ts';
import { exitCodes } from '../exit-codes.ts';
import { limitOption } from '../options.ts';
import { RemoteError } from '../remote-error.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { ago, plural } from '../words.ts';

const publishTimeoutMs = 150_000;

const columns: readonly Column<PolicyVersionView>[] = [
  { title: 'VERSION', value: (version) => String(version.version), align: 'right' },
  { title: 'PUBLISHED', value: (version) => ago(version.publishedAtMs, Date.now()) },
  { title: 'BY', value: (version) => version.publishedBy },
  { title: 'ENVOYS', value: (version) => String(version.changedEnvoys), align: 'right' },
  {
    title: 'BUNDLES',
    value: (version) => String(version.bundles),
    align: 'right',
    optional: true,
  },
  { title: 'MESSAGE', value: (version) => version.message, flexible: true },
];

function printDiagnostics(it: Session, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) it.note(`${describeDiagnostic(diagnostic, it.width)}\n`);
}

function extent(result: ValidationResult): string {
  return [
    plural(result.modules, 'module'),
    plural(result.resources, 'resource'),
    plural(result.entries, 'node entry', 'node entries'),
  ].join(', ');
}

export function addConfigCommands(program: Command, open: OpenSession): void {
  const config = program.command('config').description('the policy: check, publish, history');

  config
    .command('validate')
    .description("check the server's stack directory; changes nothing")
    .action(async () => {
      const it = await open();
      const path = '/api/v1/config/validate';
      const result = await it.client.post<ValidationResult>(path, {}, publishTimeoutMs);
      printDiagnostics(it, result.diagnostics);
      const errors = result.diagnostics.filter(({ severity }) => severity === 'error').length;
      if (errors > 0) process.exitCode = exitCodes.error;
      it.print(result, () =>
        errors > 0 ? `${plural(errors, 'error')} in ${extent(result)}` : `Valid: ${extent(result)}`,
      );
    });

  config
    .command('publish')
    .description(
      'check the stack, compile it and make it the policy of the fleet, or change nothing',
    )
    .option('-m, --message <text>', 'why, for the history', '')
    .action(async (options: { message: string }) => publish(await open(), options.message));

  config
    .command('history')
    .description('list policy versions, newest first')
    .addOption(limitOption(20))
    .action(async (options: Record<string, string>) => {
      const it = await open();
      const path = '/api/v1/config/history';
      const page = await it.client.get<{ items: PolicyVersionView[] }>(path, options);
      it.list(page, columns, 'Nothing was published yet: vigocli config publish');
    });
}

async function publish(it: Session, message: string): Promise<void> {
  try {
    const path = '/api/v1/config/publish';
    const result = await it.client.post<PublishResult>(path, { message }, publishTimeoutMs);
    printDiagnostics(it, result.diagnostics);
    it.print(result, () =>
      result.changed
        ? `Published version ${result.version}: ${extent(result)}; ` +
          `${plural(result.changedEnvoys, 'envoy')} of ${result.totalEnvoys} will change policy.`
        : `Nothing changed: version ${result.version} has these files already.`,
    );
  } catch (error) {
    const details = error instanceof RemoteError ? error.problem.details : undefined;
    const diagnostics = (details as { diagnostics?: Diagnostic[] } | undefined)?.diagnostics;
    if (diagnostics) printDiagnostics(it, diagnostics);
    throw error;
  }
}
