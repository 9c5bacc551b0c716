import type { Principal } from '../../../api/authenticate.ts';
import type { TokenView } from '../../../api/backend.ts';
import { nothing } from '../../../api/schemas.ts';
import { icon } from '../../components/icon.ts';
import { live } from '../../components/live.ts';
import { plural } from '../../components/numbers.ts';
import { badge } from '../../components/state-badge.ts';
import { table } from '../../components/table.ts';
import { timeAgo, timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { part } from '../../path.ts';
import { personOf } from '../policy/words.ts';
import { createdDialog, newTokenDialog } from './new-token.ts';

/** Rows of one page; older tokens stay in the audit log and the CLI. */
const shownMost = 500;

const tokenEvents = ['token.created', 'token.revoked', 'enrollment.accepted'];

/** Tokens that enroll machines: who made them, for which names, and what became of them. */
export const tokensPage = page({
  path: '/enrollment',
  summary: 'Enrollment tokens',
  access: 'tokens.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read, asker, nowMs }) => {
    const { items } = await read<{ items: readonly TokenView[] }>('/api/v1/tokens');
    const canWrite = may(asker, 'tokens.write');
    return {
      title: 'Enrollment',
      listen: { types: tokenEvents },
      actions: canWrite
        ? html`<button type="button" class="button primary" data-dialog="new-token">${icon('key')} Enroll a machine</button>`
        : undefined,
      body: html`<p class="muted">Each token enrolls one machine, whose host name must fit its pattern,
        until it ends.</p>
        ${live({
          id: 'tokens',
          path: '/enrollment',
          body: tokenTable(items, asker, nowMs),
        })}
        ${canWrite && html`${newTokenDialog()}${createdDialog()}`}`,
    };
  },
});

function tokenTable(items: readonly TokenView[], asker: Principal, nowMs: number): Html {
  const shown = items.slice(0, shownMost);
  const canWrite = may(asker, 'tokens.write');
  return html`${table({
    caption: 'Enrollment tokens, newest first',
    main: true,
    rows: shown,
    rowId: ({ id }) => `token-${id}`,
    empty: {
      icon: 'key',
      title: 'There is no token yet',
      text: 'A token and one command bring a machine into the fleet.',
    },
    columns: [
      {
        label: 'Host names',
        cell: ({ match }) => html`<span class="cell-main mono">${match.join(', ')}</span>`,
      },
      { label: 'State', cell: (token) => stateOf(token, nowMs) },
      {
        label: 'Machine',
        cell: ({ usedBy }) =>
          usedBy && html`<a class="mono" href="/envoys/${part(usedBy)}">${usedBy.slice(0, 8)}</a>`,
      },
      { label: 'Ends', cell: ({ expiresAtMs }) => timeAt(expiresAtMs) },
      {
        label: 'Made',
        cell: ({ createdAtMs, createdBy }) =>
          html`${timeAgo(createdAtMs, nowMs)} <span class="muted">by ${personOf(createdBy)}</span>`,
      },
      {
        label: 'Token',
        cell: (token) => canWrite && isOpen(token, nowMs) && revokeButton(token),
      },
    ],
  })}${
    items.length > shown.length &&
    html`<p class="muted small">The newest ${shown.length} of ${plural(items.length, 'token')}; the others: vigocli tokens list</p>`
  }`;
}

function isOpen({ usedAtMs, revokedAtMs, expiresAtMs }: TokenView, nowMs: number): boolean {
  return usedAtMs === undefined && revokedAtMs === undefined && expiresAtMs > nowMs;
}

function stateOf(token: TokenView, nowMs: number): Html {
  const { usedAtMs, revokedAtMs } = token;
  if (usedAtMs !== undefined)
    return html`${badge('used', 'good')} <span class="muted">${timeAgo(usedAtMs, nowMs)}</span>`;
  if (revokedAtMs !== undefined) return badge('revoked', 'unknown', 'cross');
  return isOpen(token, nowMs) ? badge('open', 'notice', 'ring') : badge('ended', 'away', 'dash');
}

function revokeButton({ id, match }: TokenView): Html {
  return html`<button type="button" class="button small danger" data-api="DELETE /api/v1/tokens/${part(id)}"
    data-confirm="Revoke the token for ${match.join(', ')}?" data-done="The token is revoked" data-then="refresh">Revoke</button>`;
}
