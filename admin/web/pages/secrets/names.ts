import type { SecretSummary } from '../../../../actors/secrets/messages.ts';
import { nothing } from '../../../api/schemas.ts';
import { live } from '../../components/live.ts';
import { partOf, Refused, refusedNote } from '../../components/refused.ts';
import { table } from '../../components/table.ts';
import { timeAgo } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { page } from '../../page.ts';
import { personOf } from '../policy/words.ts';

const events = ['secret.set', 'secret.rotated', 'secret.refreshed', 'secret.store_rekeyed'];

/** Which secrets there are. Values are on no page: `vigocli secrets` sets and, audited, reveals them. */
export const secretsPage = page({
  path: '/secrets',
  summary: 'Secrets',
  access: 'secrets.list',
  parameters: nothing,
  query: nothing,
  render: async ({ read, nowMs }) => {
    const found = await partOf(read<{ items: readonly SecretSummary[] }>('/api/v1/secrets'));
    const body = found instanceof Refused ? refusedNote(found) : secretTable(found.items, nowMs);
    return {
      title: 'Secrets',
      listen: { types: events },
      body: html`<p class="muted">Names only: no page shows or takes a value. <code>vigocli secrets set</code> sets one,
          <code>reveal</code> shows one to an administrator and writes it down.</p>
        ${live({ id: 'secrets', path: '/secrets', body })}`,
    };
  },
});

function secretTable(items: readonly SecretSummary[], nowMs: number): Html {
  return table({
    caption: 'Secrets by name',
    main: true,
    rows: items,
    empty: {
      icon: 'key',
      title: 'There is no secret yet',
      text: 'What a stack calls secret:db/password is set with: vigocli secrets set db/password.',
    },
    columns: [
      { label: 'Name', cell: ({ path }) => html`<span class="cell-main mono">${path}</span>` },
      { label: 'Version', number: true, cell: ({ version }) => (version === 0 ? '-' : version) },
      { label: 'Kept', number: true, cell: ({ versions }) => versions },
      {
        label: 'Changed',
        cell: ({ updatedAtMs }) => (updatedAtMs === 0 ? '-' : timeAgo(updatedAtMs, nowMs)),
      },
      { label: 'By', cell: ({ updatedBy }) => personOf(updatedBy) },
    ],
  });
}
