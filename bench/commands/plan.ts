import type { Command } from 'commander';
import { parseCount, parseDuration, parseShare } from '../fleet/options.ts';
import { Progress } from '../fleet/progress.ts';
import { runPlan } from '../plan/plan.ts';
import { planView } from '../plan/plan-view.ts';
import { type OutputOptions, put } from '../present/output.ts';
import { exitCodesHelp } from './help.ts';
import { stopOnSignal } from './stop-on-signal.ts';

interface RawPlanOptions extends OutputOptions {
  readonly envoys: string;
  readonly interval: string;
  readonly changed: string;
  readonly seconds: string;
  readonly workDir?: string;
}

const envoysMax = 1_000_000;
const secondsMax = 3600;
const intervalLeastMs = 1000;

export function addPlanCommand(program: Command): void {
  program
    .command('plan')
    .description('measures this machine and says whether it will carry a fleet')
    .requiredOption('--envoys <count>', `the fleet that is planned, up to ${envoysMax}`)
    .option('--interval <duration>', 'time between two check-ins of one envoy', '5m')
    .option('--changed <share>', 'check-ins that are followed by a report of changes', '1%')
    .option('--seconds <count>', 'time to measure', '120')
    .option('--work-dir <dir>', 'keep server home, log and identities here')
    .option('--json', 'print the plan as JSON')
    .option('--html <file>', 'write the plan with charts, as one file')
    .option('--markdown <file>', 'write the plan as Markdown')
    .addHelpText('after', exitCodesHelp)
    .exitOverride()
    .action(plan);
}

async function plan(raw: RawPlanOptions): Promise<void> {
  const options = {
    envoys: parseCount(raw.envoys, '--envoys', envoysMax),
    interval_s: parseDuration(raw.interval, '--interval', intervalLeastMs) / 1000,
    changed: parseShare(raw.changed, '--changed'),
    seconds: parseCount(raw.seconds, '--seconds', secondsMax),
    workDirectory: raw.workDir,
  };
  const progress = new Progress();
  const report = await runPlan(options, { progress, signal: stopOnSignal(progress) });
  const view = planView(report);
  put(view, report, raw);
  for (const warning of view.warnings) progress.say(`warning: ${warning}`);
}
