import { Command, CommanderError } from 'commander';
import { BenchError } from './errors.ts';
import { runFleet } from './fleet/fleet.ts';
import { envoysMax, parseFleetOptions, type RawFleetOptions } from './fleet/options.ts';
import { Progress } from './fleet/progress.ts';
import { describeReport, warningsOf } from './fleet/report-text.ts';

const usageExitCode = 64;
const signalExitCodes = { SIGINT: 130, SIGHUP: 129, SIGTERM: 143 } as const;

const help = `
Examples:
  npx vigobench fleet --envoys 500 --interval 5s --duration 20s
  npx vigobench fleet --envoys 5000 --interval 5s --duration 60s --json
  npx vigobench fleet --envoys 2000 --interval 15s --changed 10%

The report goes to standard output, everything else to standard error. docs/vigobench.md defines
each figure.

Exit codes:
  0   the run is done and the report printed (also when deadlines were missed)
  1   the generator failed
  4   this machine does not allow that many connections
  5   the server did not do its part
  6   done and printed, but the server touched SQL on the path of a check-in
  64  the command was not understood
  129, 130, 143  stopped by SIGHUP, Ctrl-C or SIGTERM`;

function build(): Command {
  const program = new Command('vigobench')
    .description('Plans capacity: simulated envoys against a real vigosrv on this machine.')
    .addHelpText('after', help)
    .exitOverride();
  program
    .command('fleet')
    .description('steady state: every envoy checks in once per interval')
    .requiredOption('--envoys <count>', `simulated envoys, up to ${envoysMax}`)
    .option('--interval <duration>', 'time between two check-ins of one envoy', '15s')
    .option('--duration <duration>', 'time to measure, after all are connected', '60s')
    .option('--ramp <duration>', 'time over which to connect; 0s = as fast as possible', '0s')
    .option('--changed <share>', 'check-ins followed by a report of changes, e.g. 10%', '0')
    .option('--workers <count>', 'generator threads', '1')
    .option('--shards <count>', "fleet shards of the server (default: the server's own)")
    .option('--work-dir <dir>', 'keep server home, log and identities here and use them again')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', help)
    .exitOverride()
    .action((raw: RawFleetOptions) => fleet(raw));
  return program;
}

async function fleet(raw: RawFleetOptions): Promise<void> {
  const options = parseFleetOptions(raw);
  const progress = new Progress();
  const report = await runFleet(options, progress, stopOnSignal(progress));
  const words = options.json ? JSON.stringify(report, null, 2) : describeReport(report);
  process.stdout.write(`${words}\n`);
  for (const warning of warningsOf(report)) progress.say(`warning: ${warning}`);
  const { sql_statements_on_path: statements, sql_driver_loaded: loaded } = report.server;
  if (statements > 0 || loaded) {
    const what = loaded ? 'a driver is loaded on a fleet thread' : `${statements} statements`;
    throw new BenchError('BENCH_SQL_ON_PATH', what);
  }
}

/** The first signal ends the run in order, a second one at once. */
function stopOnSignal(progress: Progress): AbortSignal {
  const controller = new AbortController();
  for (const [name, exitCode] of Object.entries(signalExitCodes)) {
    process.on(name, () => {
      process.exitCode = exitCode;
      if (controller.signal.aborted) process.exit();
      progress.say('stopping the server and removing its temporary home');
      controller.abort(new BenchError('BENCH_INTERRUPTED', name));
    });
  }
  return controller.signal;
}

function explain(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
    return;
  }
  // An aborted wait rejects with an error of its own whose cause is the signal's reason.
  const { cause = error } = error as { cause?: unknown };
  const known = cause instanceof BenchError ? cause : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  const remedy = known ? `\n  ${known.remedy}` : '';
  process.stderr.write(`${known ? `${known.code}: ` : ''}${message}${remedy}\n`);
  process.exitCode ??= known?.exitCode ?? 1;
}

try {
  await build().parseAsync();
} catch (error) {
  explain(error);
}
