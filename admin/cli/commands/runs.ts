import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Page, RunDetailView, RunResultView, RunView } from '../../api/backend.ts';
import { AdminError } from '../../errors.ts';
import { cursorOption, limitOption, stateOption } from '../options.ts';
import type { OpenSession, Session } from '../session.ts';
import type { Column } from '../table.ts';
import { printable } from '../terminal-text.ts';
import { ago, briefIdLength, clockTime, durationWords, plural, stateWord } from '../words.ts';

const runStates = ['converged', 'changed', 'degraded', 'failed'];

/** Runs among which the last eventful one is looked for. */
const recentRuns = 100;

export const runColumns: readonly Column<RunView>[] = [
  { title: 'RUN', value: (run) => run.id, brief: (run) => run.id.slice(0, briefIdLength) },
  { title: 'HOST', value: (run) => run.hostname, flexible: true },
  { title: 'WHEN', value: (run) => ago(run.startedAtMs, Date.now()) },
  { title: 'STATE', value: (run) => run.state, style: (cell, { state }) => stateWord(state, cell) },
  { title: 'CHANGES', value: changes, flexible: true },
  { title: 'TOOK', value: (run) => durationWords(run.durationMs), align: 'right', optional: true },
  { title: 'POLICY', value: (run) => String(run.policyVersion), align: 'right', optional: true },
];

const resultColumns: readonly Column<RunResultView>[] = [
  { title: 'ACTION', value: (result) => result.action },
  { title: 'RESOURCE', value: (result) => result.id },
  { title: 'TYPE', value: (result) => result.type },
  { title: 'ERROR', value: (result) => result.errorCode || '-' },
  { title: 'REASON', value: (result) => result.reason },
];

/** Actions that are shown on demand. */
const quietActions = new Set(['none', 'skipped']);

/** "2 created, 1 failed of 12". What a condition skipped is not worth a word here. */
function changes(run: RunView): string {
  const parts = (['created', 'updated', 'deleted', 'blocked', 'failed'] as const)
    .filter((name) => run[name] > 0)
    .map((name) => `${run[name]} ${name}`);
  const counted = `${parts.length === 0 ? 'none' : parts.join(', ')} of ${run.total}`;
  return run.dryRun ? `dry run: ${counted}` : counted;
}

const actionMarks = {
  created: ['green', '+'],
  updated: ['yellow', '~'],
  deleted: ['red', '-'],
  blocked: ['magenta', '!'],
  failed: ['red', '✗'],
} as const;

function describeResult(result: RunResultView): string {
  const [colour, mark] = actionMarks[result.action as keyof typeof actionMarks] ?? ['gray', '·'];
  const words = `${printable(result.action)}: ${printable(result.reason)}`;
  const type = styleText('gray', printable(result.type));
  const lines = [`${styleText(colour, mark)} ${printable(result.id)}  ${type}  ${words}`];
  if (result.errorCode) lines.push(`    ${styleText('red', printable(result.errorCode))}`);
  const diff = result.diff.split('\n').filter((line) => line !== '');
  return [...lines, ...diff.map((line) => `    ${colourDiff(printable(line))}`)].join('\n');
}

function describeQuiet(result: RunResultView): string {
  return styleText('gray', `· ${printable(result.id)}: ${printable(result.reason)}`);
}

function colourDiff(line: string): string {
  if (line.startsWith('+')) return styleText('green', line);
  if (line.startsWith('-')) return styleText('red', line);
  return styleText('gray', line);
}

function describe(run: RunDetailView, all: boolean): string {
  const head =
    `${printable(run.hostname)}: ${stateWord(run.state)}, ${changes(run)}` +
    `${run.offline ? ' (while offline)' : ''}\n` +
    `run ${run.id}\n` +
    `started ${clockTime(run.startedAtMs)}, took ${durationWords(run.durationMs)}, ` +
    `policy version ${run.policyVersion}\n`;
  const incidents = run.incidents.map(
    (incident) => `${styleText('red', printable(incident.code))}  ${printable(incident.message)}`,
  );
  const quiet = run.results.filter(({ action }) => quietActions.has(action));
  const body = run.results.filter(({ action }) => !quietActions.has(action)).map(describeResult);
  if (body.length === 0 && incidents.length === 0) body.push('Nothing had to be changed.');
  const tail = all ? quiet.map(describeQuiet) : quietWords(run);
  return [head, ...incidents, ...body, ...tail].join('\n');
}

function quietWords({ unchanged, skipped }: RunDetailView): string[] {
  const parts = [
    ...(unchanged > 0 ? [`${plural(unchanged, 'resource')} as declared`] : []),
    ...(skipped > 0 ? [`${skipped} skipped by a condition`] : []),
  ];
  return parts.length === 0 ? [] : ['', styleText('gray', `${parts.join(', ')} (see --all)`)];
}

export function addRunCommands(program: Command, open: OpenSession): void {
  const runs = program.command('runs').description('what the agents did, and why');

  runs
    .command('list')
    .description('list runs that changed something, failed or adopted a policy, newest first')
    .option('--envoy <host-or-id>', 'only of this envoy')
    .addOption(stateOption(runStates))
    .addOption(limitOption(20))
    .addOption(cursorOption())
    .action(async (options: Record<string, string>) => {
      const it = await open();
      const page = await it.client.get<Page<RunView>>('/api/v1/runs', options);
      it.list(page, runColumns, 'No runs were reported yet.');
      if (page.next) it.note(`More: vigocli runs list --cursor ${printable(page.next)}`);
    });

  runs
    .command('show')
    .argument(
      '[run]',
      'id of the run, or 8 and more characters of its beginning; default: the newest eventful one',
    )
    .description('show what each resource of a run did and why')
    .option('--all', 'also resources that were as declared or skipped by a condition')
    .action(async (name: string | undefined, options: { all?: boolean }) => {
      const it = await open();
      const id = name ?? (await newestEventfulRun(it));
      const run = await it.client.get<RunDetailView>(`/api/v1/runs/${encodeURIComponent(id)}`);
      if (it.options.plain) it.list({ items: run.results }, resultColumns, '');
      else it.print(run, () => describe(run, options.all === true));
    });
}

/**
 * After a repair the agent reports once more, that all is well again: the run that somebody asks
 * about is the one before. Without any such run, the newest.
 */
async function newestEventfulRun(it: Session): Promise<string> {
  const page = await it.client.get<Page<RunView>>('/api/v1/runs', { limit: recentRuns });
  const newest = page.items.find(isEventful) ?? page.items[0];
  if (newest) return newest.id;
  const remedy = 'an agent reports its first run after it was enrolled and a stack was published';
  throw new AdminError('API_NOT_FOUND', 'no runs were reported yet', undefined, remedy);
}

function isEventful(run: RunView): boolean {
  if (run.dryRun) return false;
  return run.created + run.updated + run.deleted + run.blocked + run.failed > 0;
}
