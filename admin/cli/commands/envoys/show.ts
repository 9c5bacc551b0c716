import type { Command } from 'commander';
import type {
  EnvoyDetailView,
  ResourcesView,
  ResourceView,
  TraitsView,
  TransitionView,
} from '../../../../actors/sink/fleet-views.ts';
import { AdminError } from '../../../errors.ts';
import { cursorOption, limitOption } from '../../options.ts';
import type { OpenSession } from '../../session.ts';
import type { Column } from '../../table.ts';
import { jsonText, printable } from '../../terminal-text.ts';
import { ago, clockTime, durationWords, fieldLines, stateWord } from '../../words.ts';
import { runColumns } from '../runs.ts';

const historyColumns: readonly Column<TransitionView>[] = [
  { title: 'WHEN', value: ({ atMs }) => clockTime(atMs) },
  { title: 'FROM', value: ({ from }) => from, style: (cell, { from }) => stateWord(from, cell) },
  { title: 'TO', value: ({ to }) => to, style: (cell, { to }) => stateWord(to, cell) },
  {
    title: 'AFTER',
    value: ({ afterMs }) => (afterMs === undefined ? '-' : durationWords(afterMs)),
  },
  { title: 'WHY', value: ({ reason }) => reason, flexible: true },
];

const resourceColumns: readonly Column<ResourceView>[] = [
  { title: 'RESOURCE', value: ({ id }) => id, flexible: true },
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'LAST', value: ({ action }) => (action === 'none' ? 'as declared' : action) },
  { title: 'CHANGED', value: ({ changedAtMs }) => ago(changedAtMs, Date.now()) },
  { title: 'RUN', value: ({ runId }) => runId, brief: ({ runId }) => runId.slice(0, 8) },
  { title: 'WHY', value: ({ reason, errorCode }) => errorCode || reason, flexible: true },
];

function describe(envoy: EnvoyDetailView): string {
  const { maintenance, stateSinceMs } = envoy;
  const nowMs = Date.now();
  const since = stateSinceMs === undefined ? '' : ` since ${ago(stateSinceMs, nowMs)}`;
  const line = (name: string, text: string): (readonly [string, string])[] =>
    text === '' ? [] : [[name, printable(text)]];
  return fieldLines([
    ['Host', printable(envoy.hostname)],
    ['ID', envoy.id],
    ['State', `${stateWord(envoy.state)}${since}`],
    ...line('Revoked', envoy.revokedReason ?? ''),
    ...line('Maintenance', maintenance === undefined ? '' : maintenanceWords(maintenance)),
    ['Last seen', ago(envoy.lastSeenMs, nowMs)],
    ['Policy', String(envoy.policyVersion || 'none yet')],
    ...line('System', envoy.os),
    ['Agent', printable(envoy.agentVersion)],
    ...updateLines(envoy),
    ['Enrolled', clockTime(envoy.enrolledAtMs)],
    ['Certificate', certificateWords(envoy, nowMs)],
  ]);
}

function certificateWords({ certificateEndsMs, revoked }: EnvoyDetailView, nowMs: number): string {
  if (certificateEndsMs === undefined) return 'its end is not known';
  const end = clockTime(certificateEndsMs);
  if (certificateEndsMs > nowMs) return `ends ${end}`;
  return revoked ? `ended ${end}` : `ended ${end}; enroll again: vigo install --reenroll`;
}

function maintenanceWords({
  by,
  reason,
  sinceMs,
}: NonNullable<EnvoyDetailView['maintenance']>): string {
  return `${reason} (${by}, ${ago(sinceMs, Date.now())})`;
}

function updateLines({ update }: EnvoyDetailView): (readonly [string, string])[] {
  if (update === undefined) return [];
  const { version, phase, code, message, atMs } = update;
  const why = code === '' ? '' : `: ${printable(message)} [${code}]`;
  return [['Update', `${printable(version)} ${phase} ${ago(atMs, Date.now())}${why}`]];
}

/** The verbs that look at one envoy. */
export function addShowCommands(envoys: Command, open: OpenSession): void {
  envoys
    .command('show <host-or-id>')
    .description('show one envoy, its last runs and changes of state')
    .action(async (name: string) => {
      const it = await open();
      const envoy = await it.client.get<EnvoyDetailView>(pathOf(name));
      it.print(envoy, () => {
        const runs = it.table(envoy.runs, runColumns) || 'No runs were reported yet.';
        const history = it.table(envoy.history, historyColumns);
        return [describe(envoy), runs, history].filter((text) => text !== '').join('\n\n');
      });
    });
  envoys
    .command('history <host-or-id>')
    .description('list the changes of an envoy’s state, newest first')
    .addOption(limitOption(100))
    .addOption(cursorOption())
    .action(async (name: string, options: Record<string, string>) => {
      const it = await open();
      const page = await it.client.get<{ items: TransitionView[]; next?: string }>(
        `${pathOf(name)}/history`,
        options,
      );
      it.list(page, historyColumns, 'Its state has not changed yet.');
      if (page.next) it.note(`More: --cursor ${page.next}`);
    });
  envoys
    .command('traits <host-or-id> [path]')
    .description('show what an envoy told of itself, or one part of it such as os.family')
    .action(async (name: string, path: string | undefined) => {
      const it = await open();
      const { traits } = await it.client.get<TraitsView>(`${pathOf(name)}/traits`);
      const value = path === undefined ? traits : traitAt(traits, path);
      it.print(value, () => jsonText(value, 2));
    });
  envoys
    .command('resources <host-or-id>')
    .description('show the present state of the resources that an envoy told of')
    .action(async (name: string) => {
      const it = await open();
      const found = await it.client.get<ResourcesView>(`${pathOf(name)}/resources`);
      it.list(found, resourceColumns, 'No resource of it ever had to act.');
      it.note(`${found.unchanged} of ${found.total} were as declared in the last reported run.`);
    });
}

export function pathOf(name: string): string {
  return `/api/v1/envoys/${encodeURIComponent(name)}`;
}

function traitAt(traits: unknown, path: string): unknown {
  let value = traits;
  for (const name of path.split('.')) {
    const below =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined;
    if (below === undefined) throw new AdminError('CLI_USAGE', `it told nothing of ${path}`);
    value = below;
  }
  return value;
}
