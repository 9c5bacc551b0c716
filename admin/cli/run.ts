import { CommanderError } from 'commander';
import { AdminError } from '../errors.ts';
import { complain } from './complain.ts';
import type { Connection } from './connection.ts';
import { buildProgram } from './program.ts';
import type { GlobalOptions, Output } from './session.ts';
import { WatchRequest, watch } from './watch.ts';
import { parseDuration } from './words.ts';

/** Least of --every. */
const everyMsMin = 500;
const everyDefault = '5s';

/** Runs one command line; the exit code is left in process.exitCode. */
export async function runCli(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe may have seen enough, as `head` does.
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  await runOnce(argv, undefined, true);
}

async function runOnce(
  argv: readonly string[],
  output: Output | undefined,
  mayWatch: boolean,
): Promise<void> {
  const program = buildProgram(output);
  if (mayWatch) {
    program.hook('preAction', (_program, command) => {
      const { watch: isWatched, every } = command.opts<{ watch?: boolean; every?: string }>();
      if (isWatched === true) {
        const everyMs = parseDuration(every ?? everyDefault);
        throw new WatchRequest(Math.max(everyMsMin, everyMs));
      }
      if (every !== undefined) throw new AdminError('CLI_USAGE', '--every needs --watch');
    });
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    const options = program.opts<GlobalOptions>();
    if (error instanceof WatchRequest) {
      await runWatch(argv, error.everyMs, options);
      return;
    }
    const early = error instanceof CommanderError && argv.includes('--json');
    process.exitCode = complain(error, early || options.json === true);
  }
}

async function runWatch(
  argv: readonly string[],
  everyMs: number,
  options: GlobalOptions,
): Promise<void> {
  const { connectionOf } = await import('./connection.ts');
  const ended = await watch({
    argv: withoutWatch(argv),
    everyMs,
    json: options.json === true,
    run: async (once, output) => {
      process.exitCode = 0;
      await runOnce(once, output, false);
      return Number(process.exitCode);
    },
    connection: (): Connection | undefined => {
      try {
        return connectionOf(options, process.env);
      } catch {
        return undefined;
      }
    },
  });
  process.exitCode = ended;
}

/** What the command itself understands. */
function withoutWatch(argv: readonly string[]): string[] {
  return argv.filter(
    (word, at) => !/^--(watch|every)(=|$)/.test(word) && argv[at - 1] !== '--every',
  );
}
