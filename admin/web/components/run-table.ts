import type { RunView } from '../../api/backend.ts';
import { type Html, html } from '../html.ts';
import { part } from '../path.ts';
import { count } from './numbers.ts';
import { stateBadge } from './state-badge.ts';
import { type Column, table } from './table.ts';
import { duration, timeAgo } from './time.ts';

/** "2 updated, 1 failed": what a run did beside finding things right. */
export function runEffect(run: RunView): string {
  const { created, updated, deleted, skipped, blocked, failed } = run;
  const parts = Object.entries({ created, updated, deleted, failed, blocked, skipped })
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${count(number)} ${what}`);
  return parts.length === 0 ? 'nothing to do' : parts.join(', ');
}

/** What was special about a run. */
export function runTags({ dryRun, offline, policyChanged }: RunView): Html {
  const tags = [dryRun && 'dry run', offline && 'offline', policyChanged && 'new policy'];
  return html`${tags.map((tag) => tag && html`<span class="tag">${tag}</span> `)}`;
}

/** Runs, each a link to its page; without the envoy's name on the page of an envoy. */
export function runTable(
  runs: readonly RunView[],
  { nowMs, withEnvoy, main }: { nowMs: number; withEnvoy: boolean; main?: boolean },
): Html {
  const envoy: Column<RunView> = {
    label: 'Envoy',
    cell: ({ envoyId, hostname }) =>
      html`<a class="cell-main" href="/envoys/${part(envoyId)}">${hostname || envoyId}</a>`,
  };
  return table<RunView>({
    caption: 'Runs',
    rows: runs,
    rowId: ({ id }) => `run-${id}`,
    main: main ?? false,
    columns: [
      {
        label: 'Run',
        cell: (run) =>
          html`<a href="/runs/${part(run.id)}">${timeAgo(run.receivedAtMs, nowMs)}</a> ${runTags(run)}`,
      },
      ...(withEnvoy ? [envoy] : []),
      { label: 'Outcome', cell: ({ state }) => stateBadge(state) },
      { label: 'Did', cell: runEffect },
      { label: 'Policy', cell: ({ policyVersion }) => `v${policyVersion}`, number: true },
      { label: 'Took', cell: ({ durationMs }) => duration(durationMs), number: true },
    ],
  });
}
