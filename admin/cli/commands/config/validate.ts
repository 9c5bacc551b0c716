import type { Command } from 'commander';
import type { ValidationResult } from '../../../../actors/publish/messages.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { OpenSession } from '../../session.ts';
import { plural } from '../../words.ts';
import { extent, printDiagnostics, publishTimeoutMs } from './shared.ts';

export function addValidateCommand(config: Command, open: OpenSession): void {
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
}
