import { CommanderError } from 'commander';
import { complain } from './complain.ts';
import { buildProgram } from './program.ts';
import type { GlobalOptions } from './session.ts';

/** Runs one command line; the exit code is left in process.exitCode. */
export async function runCli(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe may have seen enough, as `head` does.
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const program = buildProgram();
  try {
    await program.parseAsync(argv);
  } catch (error) {
    const early = error instanceof CommanderError && argv.includes('--json');
    process.exitCode = complain(error, early || program.opts<GlobalOptions>().json === true);
  }
}
