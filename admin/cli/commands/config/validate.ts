import type { Command } from 'commander';
import type { ValidationResult } from '../../../../actors/publish/messages.ts';
import { examples } from '../../examples.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { OpenSession } from '../../session.ts';
import { plural } from '../../words.ts';
import {
  errorsIn,
  extent,
  offlineOption,
  printDiagnostics,
  publishTimeoutMs,
  stackFiles,
  stackOption,
} from './shared.ts';

export function addValidateCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('validate')
    .description("check the server's stack directory, or a stack of this machine; changes nothing")
    .addOption(stackOption())
    .addOption(offlineOption())
    .action(async ({ stack, offline }: { stack?: string; offline?: boolean }) => {
      const it = await open();
      const path = '/api/v1/config/validate';
      const result = await it.client.post<ValidationResult>(
        path,
        { ...stackFiles(stack), ...(offline === undefined ? {} : { offline }) },
        publishTimeoutMs,
      );
      printDiagnostics(it, result.diagnostics);
      const errors = errorsIn(result.diagnostics);
      if (errors > 0) process.exitCode = exitCodes.error;
      it.print(result, () =>
        errors > 0 ? `${plural(errors, 'error')} in ${extent(result)}` : `Valid: ${extent(result)}`,
      );
    });
  examples(command, ['vigocli config validate', 'vigocli config validate --stack ./my-stack']);
}
