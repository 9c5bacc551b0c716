import type { Command } from 'commander';
import type { FidelityMiss, FidelityRow, FidelityView } from '../../../../actors/plan/view.ts';
import { examples } from '../../examples.ts';
import type { OpenSession, Session } from '../../session.ts';
import type { Column } from '../../table.ts';
import { ago, briefIdLength, plural } from '../../words.ts';

const columns: readonly Column<FidelityRow>[] = [
  { title: 'TYPE', value: (row) => row.type },
  { title: 'BASIS', value: (row) => row.basis },
  { title: 'PREDICTED', value: (row) => String(row.predicted), align: 'right' },
  { title: 'AS PREDICTED', value: (row) => String(row.matching), align: 'right' },
  { title: 'SCORE', value: (row) => scoreText(row.matching, determined(row)), align: 'right' },
  { title: 'ASSUMED', value: (row) => String(row.assumed), align: 'right', optional: true },
  {
    title: 'UNDETERMINED',
    value: (row) => String(row.undetermined),
    align: 'right',
    optional: true,
  },
  { title: 'UNKNOWN', value: (row) => String(row.unpredicted), align: 'right', optional: true },
];

const missColumns: readonly Column<FidelityMiss>[] = [
  { title: 'HOST', value: (miss) => miss.hostname, flexible: true },
  { title: 'RESOURCE', value: (miss) => miss.resource, flexible: true },
  { title: 'TYPE', value: (miss) => miss.type },
  { title: 'PREDICTED', value: (miss) => miss.predicted + (miss.assumed ? ' (assumed)' : '') },
  { title: 'ACTUAL', value: (miss) => miss.actual },
  { title: 'REASON', value: (miss) => miss.reason, flexible: true },
];

/** Predictions that could be right or wrong. */
function determined({ predicted, undetermined }: FidelityRow): number {
  return predicted - undetermined;
}

/** Never rounded up to 100: one miss in a million is a miss. */
export function scoreText(matching: number, predicted: number): string {
  if (predicted === 0) return '-';
  return `${(Math.floor((matching / predicted) * 10_000) / 100).toString()} %`;
}

export function addFidelityCommand(config: Command, open: OpenSession): void {
  const command = config
    .command('fidelity')
    .description('compare what a plan predicted with what the envoys did after its publish')
    .option('--plan <id>', 'the plan, by 8 and more characters; default: the last with an outcome')
    .action(async (options: { plan?: string }) => {
      const it = await open();
      const path =
        options.plan === undefined
          ? '/api/v1/config/fidelity'
          : `/api/v1/config/plans/${encodeURIComponent(options.plan)}/fidelity`;
      const view = await it.client.get<FidelityView>(path);
      if (it.options.plain) it.list({ items: view.types }, columns, '');
      else it.print(view, () => describe(it, view));
    });
  examples(command, ['vigocli config fidelity', 'vigocli config fidelity --plan 3f2a91c0 --json']);
}

function describe(it: Session, view: FidelityView): string {
  const { planId, createdAtMs, envoys, versions, types, misses, undetermined, moreMisses } = view;
  const plan = `Plan ${planId.slice(0, briefIdLength)}, made ${ago(createdAtMs, Date.now())}`;
  if (envoys.compared === 0)
    return `${plan}: nothing to compare yet; no envoy has run under it, or it was not published.`;
  const total = types.reduce((sum, row) => sum + determined(row), 0);
  const open = types.reduce((sum, row) => sum + row.undetermined, 0);
  const matching = types.reduce((sum, row) => sum + row.matching, 0);
  const parts = [
    `${plan}, published as version ${versions.join(', ')}: ` +
      `${envoys.compared} of ${plural(envoys.changing, 'envoy')} compared`,
    it.table(types, columns),
  ];
  if (misses.length > 0) parts.push(it.table(misses, missColumns));
  if (moreMisses > 0) parts.push(`… and ${plural(moreMisses, 'more miss', 'more misses')}`);
  if (undetermined.length > 0)
    parts.push(`Only the node could tell:\n${it.table(undetermined, missColumns)}`);
  const besides = open === 0 ? '' : `; ${open} undetermined`;
  parts.push(
    `Fidelity: ${scoreText(matching, total)} (${matching} of ${total} as predicted${besides})`,
  );
  return parts.join('\n\n');
}
