import type { Command } from 'commander';
import { compareFiles, comparisonView } from '../compare/compare-files.ts';
import { BenchError } from '../errors.ts';
import { parseShare } from '../fleet/options.ts';
import { type OutputOptions, put } from '../present/output.ts';
import { exitCodesHelp } from './help.ts';

interface RawCompareOptions extends OutputOptions {
  readonly tolerance: string;
  readonly failAbove?: string;
}

export function addCompareCommand(program: Command): void {
  program
    .command('compare')
    .description('two runs, figure by figure')
    .argument('<A.json>', 'what --json printed, before')
    .argument('<B.json>', 'and after')
    .option('--tolerance <share>', 'smaller changes are noise', '10%')
    .option('--fail-above <share>', 'exit with 7 when a figure is worse by more')
    .option('--json', 'print the comparison as JSON')
    .option('--html <file>', 'write it as one file')
    .option('--markdown <file>', 'write it as Markdown')
    .addHelpText('after', exitCodesHelp)
    .exitOverride()
    .action(compare);
}

function compare(a: string, b: string, raw: RawCompareOptions): void {
  const comparison = compareFiles(a, b, parseShare(raw.tolerance, '--tolerance'));
  const view = comparisonView(comparison);
  put(view, comparison, raw);
  for (const warning of view.warnings) process.stderr.write(`warning: ${warning}\n`);
  if (raw.failAbove === undefined) return;
  const limit = parseShare(raw.failAbove, '--fail-above');
  const worst = comparison.differences.find(
    ({ verdict, factor }) =>
      verdict === 'worse' && (factor > 1 + limit || factor < 1 / (1 + limit)),
  );
  if (worst) throw new BenchError('BENCH_WORSE', `${worst.name}: ${worst.a} and now ${worst.b}`);
}
