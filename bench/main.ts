import { Command, CommanderError } from 'commander';
import { BenchError } from './errors.ts';
import { runFleet } from './fleet/fleet.ts';
import {
  envoysMax,
  type FleetOptions,
  parseCount,
  parseDuration,
  parseShare,
} from './fleet/options.ts';
import { Progress } from './fleet/progress.ts';
import { describeReport } from './fleet/report.ts';

const usageExitCode = 64;
const threadsMax = 64;

const examples = `
Examples:
  npx vigobench fleet --envoys 500 --interval 5s --duration 20s
  npx vigobench fleet --envoys 5000 --interval 5s --duration 60s --json
  npx vigobench fleet --envoys 2000 --interval 15s --changed 10%

Exit codes: 0 done, 1 the generator failed, 4 not allowed here, 5 the server failed, 64 usage`;

function build(): Command {
  const program = new Command('vigobench')
    .description('Plans capacity: simulated envoys against a real vigosrv on this machine.')
    .addHelpText('after', examples)
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
    .option('--work-dir <dir>', 'keep server home and identities here and use them again')
    .option('--json', 'print the report as JSON')
    .exitOverride()
    .action((raw: Record<string, string>) => fleet(raw));
  return program;
}

async function fleet(raw: Record<string, string | boolean>): Promise<void> {
  const text = (name: string) => String(raw[name]);
  const options: FleetOptions = {
    envoys: parseCount(text('envoys'), '--envoys', envoysMax),
    intervalMs: parseDuration(text('interval')),
    durationMs: parseDuration(text('duration')),
    rampMs: parseDuration(text('ramp')),
    changed: parseShare(text('changed')),
    workers: parseCount(text('workers'), '--workers', threadsMax),
    shards: raw.shards === undefined ? 0 : parseCount(text('shards'), '--shards', threadsMax),
    workDirectory: raw.workDir === undefined ? undefined : text('workDir'),
    json: raw.json === true,
  };
  const report = await runFleet(options, new Progress(options.json));
  const words = options.json ? JSON.stringify(report, null, 2) : describeReport(report, options);
  process.stdout.write(`${words}\n`);
}

try {
  await build().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
  } else {
    const known = error instanceof BenchError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${known ? `${error.code}: ` : ''}${message}\n`);
    process.exitCode = known ? error.exitCode : 1;
  }
}
