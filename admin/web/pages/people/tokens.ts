import type { AdminTokenView } from '../../../../actors/access/messages.ts';
import type { Principal } from '../../../api/authenticate.ts';
import { nothing } from '../../../api/schemas.ts';
import { actionForm, choiceField, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
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
import { peopleTabs } from './accounts.ts';
import { accessRoleOptions } from './roles.ts';

const events = ['access.token_created', 'access.token_revoked'];
const rowsShown = 500;
const dayMs = 86_400_000;

/** API tokens of people and programs; none is ever shown again. */
export const apiTokensPage = page({
  path: '/people/tokens',
  summary: 'API tokens',
  access: 'access.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read, asker, nowMs }) => {
    const { items } = await read<{ items: readonly AdminTokenView[] }>('/api/v1/auth/tokens');
    const canManage = may(asker, 'access.manage');
    return {
      title: 'API tokens',
      crumbs: [{ label: 'People', path: '/people' }],
      listen: { types: events },
      ...(canManage
        ? {
            actions: html`<button type="button" class="button primary" data-dialog="new-api-token">${icon('key')} New token</button>`,
          }
        : {}),
      body: html`${peopleTabs('tokens')}
        ${live({
          id: 'api-tokens',
          path: '/people/tokens',
          body: tokenTable(items, asker, nowMs),
        })}${canManage && html`${newDialog()}${madeDialog()}`}`,
    };
  },
});

function tokenTable(items: readonly AdminTokenView[], asker: Principal, nowMs: number): Html {
  const canManage = may(asker, 'access.manage');
  return html`${table({
    caption: 'API tokens, newest first',
    main: true,
    rows: items.slice(0, rowsShown),
    rowId: ({ id }) => `api-token-${id}`,
    empty: {
      icon: 'key',
      title: 'There is no token yet',
      text: 'Programs, and the CLI on other machines, use a token of their own, with as little as they need.',
    },
    columns: [
      { label: 'Name', cell: ({ name }) => html`<span class="cell-main">${name}</span>` },
      { label: 'Role', cell: ({ role }) => html`<span class="tag">${role}</span>` },
      { label: 'Limits', cell: limits },
      { label: 'State', cell: (token) => tokenState(token, nowMs) },
      { label: 'Last used', cell: ({ lastUsedMs }) => timeAgo(lastUsedMs, nowMs) },
      {
        label: 'Ends',
        cell: ({ expiresAtMs }) => (expiresAtMs === undefined ? 'never' : timeAt(expiresAtMs)),
      },
      { label: 'Made by', cell: ({ createdBy }) => personOf(createdBy) },
      {
        label: 'Token',
        cell: (token) => canManage && isValid(token, nowMs) && revokeButton(token),
      },
    ],
  })}${items.length > rowsShown && html`<p class="muted small">The newest ${rowsShown} of ${plural(items.length, 'token')}</p>`}`;
}

function limits({ permissions, envoys, accountId }: AdminTokenView): Html {
  const words = [
    ...(accountId === undefined ? [] : ['of an account']),
    ...(permissions === undefined ? [] : [plural(permissions.length, 'permission')]),
    ...(envoys === undefined ? [] : [`on ${envoys.join(', ')}`]),
  ];
  return html`<span class="muted"${permissions && html` title="${permissions.join(', ')}"`}>${words.join('; ')}</span>`;
}

function isValid({ revokedAtMs, expiresAtMs }: AdminTokenView, nowMs: number): boolean {
  return revokedAtMs === undefined && (expiresAtMs === undefined || expiresAtMs > nowMs);
}

function tokenState(token: AdminTokenView, nowMs: number): Html {
  if (token.revokedAtMs !== undefined) return badge('revoked', 'unknown', 'cross');
  if (!isValid(token, nowMs)) return badge('ended', 'away', 'dash');
  const { expiresAtMs } = token;
  const isNear = expiresAtMs !== undefined && expiresAtMs - nowMs < 7 * dayMs;
  return isNear ? badge('ends soon', 'warning', 'diamond') : badge('valid', 'good');
}

function revokeButton({ id, name }: AdminTokenView): Html {
  return html`<button type="button" class="button small danger" data-api="DELETE /api/v1/auth/tokens/${part(id)}"
    data-confirm="Revoke the token of ${name}? It stops working at once." data-done="Revoked" data-then="refresh">Revoke</button>`;
}

function newDialog(): Html {
  const days = (count: number) => String(count * dayMs);
  return dialog({
    id: 'new-api-token',
    title: 'New API token',
    body: actionForm({
      api: 'POST /api/v1/auth/tokens',
      submit: 'Make the token',
      show: 'api-token-made',
      fields: html`${textField({ id: 'api-token-name', name: 'name', label: 'Name', required: true, maxLength: 63, hint: 'Of the person or program; the audit log says it.' })}
        ${choiceField({ id: 'api-token-role', name: 'role', label: 'Role', value: 'viewer', options: accessRoleOptions })}
        ${choiceField({
          id: 'api-token-life',
          name: 'expiresInMs',
          label: 'It ends after',
          isNumber: true,
          value: days(90),
          options: [
            [days(1), '1 day'],
            [days(30), '30 days'],
            [days(90), '90 days'],
            [days(365), '1 year'],
            ['', 'never'],
          ],
        })}
        <div class="field"><label for="api-token-envoys">Only over these envoys</label>
          <input id="api-token-envoys" name="envoys" data-as="lines" maxlength="1000" autocomplete="off" spellcheck="false" aria-describedby="api-token-envoys-hint">
          <span class="hint" id="api-token-envoys-hint">Globs of host names, ids or traits, with commas;
            nothing: no limit.</span></div>`,
    }),
  });
}

function madeDialog(): Html {
  return dialog({
    id: 'api-token-made',
    title: 'The token',
    body: html`<p>It is shown only now. Keep it where only its owner reads it.</p>
      <div class="copyable"><code id="api-token-text" data-field="token" tabindex="0" aria-label="Token"></code>
        <button type="button" class="icon-button" data-copy="api-token-text" aria-label="Copy the token">${icon('copy')}</button></div>
      <form method="dialog"><p class="form-actions"><button class="button">Done</button></p></form>`,
  });
}
