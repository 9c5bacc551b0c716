import type { Static } from 'typebox';
import type { resourcesShape } from '../../api/shapes/envoys.ts';
import { emptyState } from '../components/empty-state.ts';
import { count } from '../components/numbers.ts';
import { statTile } from '../components/stat-tile.ts';
import { stateBadge } from '../components/state-badge.ts';
import { table } from '../components/table.ts';
import { timeAgo } from '../components/time.ts';
import { type Html, html } from '../html.ts';
import { part } from '../path.ts';

type Resources = Static<typeof resourcesShape>;
type Resource = Resources['items'][number];

/** What the envoy's reports tell of its resources, those with trouble first. */
export function resourceTable(
  { items, total, unchanged, lastRun }: Resources,
  nowMs: number,
): Html {
  if (lastRun === undefined) {
    return emptyState({
      icon: 'layers',
      title: 'No run yet',
      text: 'Resources stand here when the envoy has reported a run.',
    });
  }
  const troubled = items.filter(({ action }) => ['failed', 'blocked'].includes(action)).length;
  return html`<div class="tiles">
      ${statTile({ label: 'Resources', figure: count(total) })}
      ${statTile({ label: 'As declared in the last run', figure: count(unchanged) })}
      ${statTile({ label: 'In trouble', figure: count(troubled) })}
      ${statTile({ label: 'Last stored run', figure: timeAgo(lastRun.receivedAtMs, nowMs) })}
    </div>
    ${table<Resource>({
      caption: 'Resources that ever acted',
      main: true,
      rows: [...items].sort((one, other) => weight(other) - weight(one)),
      rowId: ({ id }) => `resource-${id}`,
      columns: [
        { label: 'Resource', cell: ({ id }) => html`<span class="cell-main">${id}</span>` },
        { label: 'Type', cell: ({ type }) => html`<code>${type}</code>` },
        { label: 'Last', cell: ({ action }) => stateBadge(action) },
        {
          label: 'Why',
          cell: ({ reason, errorCode }) =>
            html`${reason}${errorCode !== '' && html` <code class="muted">${errorCode}</code>`}`,
        },
        { label: 'Changed', cell: ({ changedAtMs }) => timeAgo(changedAtMs, nowMs) },
        {
          label: 'Told in',
          cell: ({ runId, runStartedAtMs }) =>
            html`<a href="/runs/${part(runId)}">${timeAgo(runStartedAtMs, nowMs)}</a>`,
        },
      ],
    })}
    <p class="muted small">Resources that were always as declared never acted, and stand only in the count.</p>`;
}

const order = ['none', 'skipped', 'created', 'updated', 'deleted', 'blocked', 'failed'];

function weight({ action }: Resource): number {
  return order.indexOf(action);
}
