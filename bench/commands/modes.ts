import type { Command } from 'commander';
import { BenchError } from '../errors.ts';
import { envoysMax } from '../fleet/options.ts';
import { Progress } from '../fleet/progress.ts';
import { dashboardMode } from '../modes/dashboard.ts';
import { fleetMode } from '../modes/fleet.ts';
import { herdMode } from '../modes/herd.ts';
import { mixedMode } from '../modes/mixed.ts';
import type { Mode, ModeName, ModeReport } from '../modes/mode-report.ts';
import { modeView } from '../modes/mode-view.ts';
import { parseModeOptions, type RawModeOptions } from '../modes/options.ts';
import { publishMode } from '../modes/publish.ts';
import { queryMode } from '../modes/query.ts';
import { reportsMode } from '../modes/reports.ts';
import { soakMode } from '../modes/soak.ts';
import { put } from '../present/output.ts';
import { exitCodesHelp } from './help.ts';
import { stopOnSignal } from './stop-on-signal.ts';

type Extra = 'how' | 'burst' | 'viewers' | 'turn-every' | 'sign-ahead';

interface ModeCommand {
  readonly run: Mode;
  readonly description: string;
  readonly interval: string;
  readonly duration: string;
  readonly changed?: string;
  readonly extras: readonly Extra[];
}

const extraOptions: Readonly<
  Record<Extra, readonly [flags: string, words: string, value?: string]>
> = {
  how: ['--how <stop|kill>', 'how the server ends: in order, or as by a power cut', 'stop'],
  burst: ['--burst <share>', 'envoys that report changes at the same moment', '50%'],
  viewers: ['--viewers <count>', 'people in front of a dashboard', '20'],
  'turn-every': [
    '--turn-every <duration>',
    'viewers turn to another page so often; 0s: each keeps the page that it opened',
    '0s',
  ],
  'sign-ahead': [
    '--sign-ahead',
    'sign the check-ins before the window (up to a quarter of an hour of it)',
  ],
};

const modes: Readonly<Record<ModeName, ModeCommand>> = {
  fleet: {
    run: fleetMode,
    description: 'steady state: every envoy checks in once per interval',
    ...{ interval: '15s', duration: '60s', extras: ['sign-ahead'] },
  },
  herd: {
    run: herdMode,
    description: 'the server restarts under its fleet: time until whole, false alarms',
    ...{ interval: '15s', duration: '15s', extras: ['how'] },
  },
  publish: {
    run: publishMode,
    description: 'a new policy: time until 50, 99 and 100 percent of the fleet run it',
    ...{ interval: '15s', duration: '15s', extras: [] },
  },
  query: {
    run: queryMode,
    description: 'a question to the whole fleet (plan --live --all): time until all have answered',
    ...{ interval: '15s', duration: '15s', extras: [] },
  },
  reports: {
    run: reportsMode,
    description: 'a bad day: many envoys report changes at once',
    ...{ interval: '15s', duration: '15s', extras: ['burst'] },
  },
  dashboard: {
    run: dashboardMode,
    description: 'people look at pages that are live while the fleet checks in',
    ...{ interval: '15s', duration: '60s', changed: '1%', extras: ['viewers', 'turn-every'] },
  },
  mixed: {
    run: mixedMode,
    description: 'check-ins, changes, viewers, a publish and a burst of reports in one run',
    ...{ interval: '15s', duration: '60s', changed: '10%' },
    extras: ['burst', 'viewers', 'turn-every'],
  },
  soak: {
    run: soakMode,
    description: 'a long run: growth of memory and files, explained',
    ...{ interval: '15s', duration: '1h', changed: '1%', extras: [] },
  },
};

export function addModeCommands(program: Command): void {
  for (const [name, mode] of Object.entries(modes)) {
    const command = program
      .command(name)
      .description(mode.description)
      .requiredOption('--envoys <count>', `simulated envoys, up to ${envoysMax}`)
      .option('--interval <duration>', 'time between two check-ins of one envoy', mode.interval)
      .option('--duration <duration>', 'time to measure, after all are connected', mode.duration)
      .option('--ramp <duration>', 'time over which to connect; 0s = as fast as possible', '0s')
      .option(
        '--changed <share>',
        'check-ins followed by a report of changes, e.g. 10%',
        mode.changed ?? '0',
      )
      .option('--workers <count>', 'generator threads', '1')
      .option('--shards <count>', "fleet shards of the server (default: the server's own)")
      .option('--work-dir <dir>', 'keep server home, log and identities here and use them again')
      .option('--json', 'print the report as JSON')
      .option('--html <file>', 'write the report with charts, as one file')
      .option('--markdown <file>', 'write the report as Markdown')
      .addHelpText('after', exitCodesHelp)
      .exitOverride()
      .action((raw: RawModeOptions) => runMode(mode.run, raw));
    for (const extra of mode.extras) command.option(...extraOptions[extra]);
  }
}

async function runMode(mode: Mode, raw: RawModeOptions): Promise<void> {
  const options = parseModeOptions(raw);
  const progress = new Progress();
  const report = await mode(options, { progress, signal: stopOnSignal(progress) });
  const view = modeView(report);
  put(view, report, raw);
  for (const warning of view.warnings) progress.say(`warning: ${warning}`);
  refuseSql(report);
}

function refuseSql({ server }: ModeReport): void {
  const { sql_statements_on_path: statements, sql_driver_loaded: loaded } = server;
  if (statements === 0 && !loaded) return;
  const what = loaded ? 'a driver is loaded on a fleet thread' : `${statements} statements`;
  throw new BenchError('BENCH_SQL_ON_PATH', what);
}
