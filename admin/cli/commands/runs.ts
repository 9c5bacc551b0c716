import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Page, RunDetailView, RunResultView, RunView } from '../../api/backend.ts';
import type { Session } from '../session.ts';
import { type Column, printable } from '../table.ts';
import { ago, clockTime, durationWords, plural, stateWord } from '../words.ts';

export const runColumns: readonly Column<RunView>[] = [
  { title: 'RUN', value: (run) => run.id },
  { title: 'HOST', value: (run) => run.hostname, flexible: true },
  { title: 'WHEN', value: (run) => ago(run.startedAtMs, Date.now()) },
  { title: 'STATE', value: (run) => stateWord(run.state) },
  { title: 'CHANGES', value: changes, flexible: true },
  { title: 'TOOK', value: (run) => durationWords(run.durationMs), align: 'right' },
  { title: 'POLICY', value: (run) => String(run.policyVersion), align: 'right' },
];

/** "2 created, 1 failed of 12". */
function changes(run: RunView): string {
  const parts = (['created', 'updated', 'deleted', 'skipped', 'blocked', 'failed'] as const)
    .filter((name) => run[name] > 0)
    .map((name) => `${run[name]} ${name}`);
  return `${parts.length === 0 ? 'none' : parts.join(', ')} of ${run.total}`;
}

const actionMarks: Readonly<Record<string, string>> = {
  created: styleText('green', '+'),
  updated: styleText('yellow', '~'),
  deleted: styleText('red', '-'),
  skipped: styleText('gray', '·'),
  blocked: styleText('magenta', '!'),
  failed: styleText('red', '✗'),
};

function describeResult(result: RunResultView): string {
  const head = `${actionMarks[result.action] ?? ' '} ${result.id}  ${styleText('gray', result.type)}`;
  const lines = [`${head}  ${result.action}: ${printable(result.reason)}`];
  if (result.errorCode) lines.push(`    ${styleText('red', result.errorCode)}`);
  const diff = result.diff.split('\n').filter((line) => line !== '');
  return [...lines, ...diff.map((line) => `    ${colourDiff(printable(line))}`)].join('\n');
}

function colourDiff(line: string): string {
  if (line.startsWith('+')) return styleText('green', line);
  if (line.startsWith('-')) return styleText('red', line);
  return styleText('gray', line);
}

function describe(run: RunDetailView): string {
  const notes = [run.dryRun ? 'dry run' : '', run.offline ? 'while offline' : ''].filter(Boolean);
  const head =
    `${run.hostname}: ${stateWord(run.state)}, ${changes(run)}` +
    `${notes.length > 0 ? ` (${notes.join(', ')})` : ''}\n` +
    `started ${clockTime(run.startedAtMs)}, took ${durationWords(run.durationMs)}, ` +
    `policy version ${run.policyVersion}\n`;
  const incidents = run.incidents.map(
    (incident) => `${styleText('red', incident.code)}  ${printable(incident.message)}`,
  );
  const body = run.results.map(describeResult);
  if (body.length === 0 && incidents.length === 0) body.push('Nothing had to be changed.');
  return [head, ...incidents, ...body].join('\n');
}

export function addRunCommands(program: Command, session: () => Session): void {
  const runs = program.command('runs').description('what the agents did, and why');

  runs
    .command('list')
    .description('list runs that changed something, failed or adopted a policy, newest first')
    .option('--envoy <host-or-id>', 'only of this envoy')
    .option('--state <state>', 'only converged, changed, degraded or failed')
    .option('--limit <rows>', 'rows to show', '20')
    .option('--cursor <cursor>', 'go on behind an earlier page')
    .action(async (options: Record<string, string>) => {
      const it = session();
      const page = await it.client.get<Page<RunView>>('/api/v1/runs', options);
      it.list(page, runColumns, 'No runs were reported yet.');
      if (page.next) it.note(`More: vigocli runs list --cursor ${page.next}`);
    });

  runs
    .command('show [run]')
    .description('show what each resource of a run did and why; the newest run when none is named')
    .action(async (name: string | undefined) => {
      const it = session();
      const id = name ?? (await newestRun(it));
      if (id === undefined) return it.print(null, () => 'No runs were reported yet.');
      const run = await it.client.get<RunDetailView>(`/api/v1/runs/${encodeURIComponent(id)}`);
      it.print(run, () => describe(run));
      it.note(`\n${plural(run.results.length, 'resource')} shown of ${run.total}`);
    });
}

async function newestRun(it: Session): Promise<string | undefined> {
  const page = await it.client.get<Page<RunView>>('/api/v1/runs', { limit: 1 });
  return page.items[0]?.id;
}
