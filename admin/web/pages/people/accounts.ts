import type { AccountView } from '../../../../actors/accounts/messages.ts';
import { nothing } from '../../../api/schemas.ts';
import { actionForm, choiceField, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { icon } from '../../components/icon.ts';
import { live } from '../../components/live.ts';
import { plural } from '../../components/numbers.ts';
import { badge } from '../../components/state-badge.ts';
import { table } from '../../components/table.ts';
import { tabs } from '../../components/tabs.ts';
import { timeAgo } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { part } from '../../path.ts';
import { roleOptions } from './roles.ts';

/** Who may do what: accounts of people. */
export const accountsPage = page({
  path: '/people',
  summary: 'People',
  access: 'access.read',
  parameters: nothing,
  query: nothing,
  render: async ({ read, asker, nowMs }) => {
    const { items } = await read<{ items: readonly AccountView[] }>('/api/v1/users');
    const kept = items.filter(({ deletedAtMs }) => deletedAtMs === undefined);
    const canManage = may(asker, 'access.manage');
    return {
      title: 'People',
      listen: { types: ['account.*', 'session.*'] },
      ...(canManage ? { actions: newButton() } : {}),
      body: html`${peopleTabs('accounts')}
        ${live({
          id: 'accounts',
          path: '/people',
          body: accountTable(kept, nowMs),
        })}${canManage && html`${newDialog()}${passwordDialog()}`}`,
    };
  },
});

export function peopleTabs(current: 'accounts' | 'tokens'): Html {
  return tabs('People', [
    { label: 'Accounts', path: '/people', current: current === 'accounts' },
    { label: 'API tokens', path: '/people/tokens', current: current === 'tokens' },
  ]);
}

function newButton(): Html {
  return html`<button type="button" class="button primary" data-dialog="new-account">${icon('user')} New account</button>`;
}

function accountTable(items: readonly AccountView[], nowMs: number): Html {
  return table({
    caption: 'Accounts by name',
    main: true,
    rows: items,
    rowId: ({ id }) => `account-${id}`,
    empty: {
      icon: 'users',
      title: 'There is no account yet',
      text: 'Whoever is here uses an API token. Accounts are for people: with a password, a second factor, sessions.',
    },
    columns: [
      {
        label: 'Name',
        cell: ({ name, displayName }) =>
          html`<a class="cell-main" href="/people/${part(name)}">${name}</a>${
            displayName !== '' &&
            displayName !== name &&
            html` <span class="muted">${displayName}</span>`
          }`,
      },
      { label: 'Role', cell: ({ role }) => html`<span class="tag">${role}</span>` },
      {
        label: 'Over some envoys',
        cell: ({ grants }) => (grants.length === 0 ? '' : plural(grants.length, 'grant')),
      },
      {
        label: 'Second factor',
        cell: ({ totp }) => (totp ? badge('on', 'good') : badge('off', 'warning', 'diamond')),
      },
      { label: 'Last login', cell: ({ lastLoginMs }) => timeAgo(lastLoginMs, nowMs) },
      { label: 'State', cell: accountState },
    ],
  });
}

export function accountState({ disabledAtMs, mustChangePassword }: AccountView): Html {
  if (disabledAtMs !== undefined) return badge('disabled', 'away', 'cross');
  return mustChangePassword
    ? badge('password to change', 'warning', 'diamond')
    : badge('active', 'good');
}

function newDialog(): Html {
  return dialog({
    id: 'new-account',
    title: 'New account',
    body: actionForm({
      api: 'POST /api/v1/users',
      submit: 'Make the account',
      show: 'password-made',
      fields: html`${textField({ id: 'account-name', name: 'name', label: 'Name', required: true, maxLength: 63, hint: 'The audit log names them by it, for ever.' })}
        ${textField({ id: 'account-display', name: 'displayName', label: 'Full name', maxLength: 200 })}
        ${textField({ id: 'account-email', name: 'email', label: 'E-mail', maxLength: 200 })}
        ${choiceField({ id: 'account-role', name: 'role', label: 'Role', value: 'viewer', options: roleOptions })}`,
    }),
  });
}

/** A password that was made up: shown once, changed at the first login. */
export function passwordDialog(): Html {
  return dialog({
    id: 'password-made',
    title: 'First password',
    body: html`<p>Give it to <strong data-field="name"></strong>. It is shown only now, and must be changed at the first login.</p>
      <div class="copyable"><code id="password-text" data-field="password" tabindex="0" aria-label="Password"></code>
        <button type="button" class="icon-button" data-copy="password-text" aria-label="Copy the password">${icon('copy')}</button></div>
      <form method="dialog"><p class="form-actions"><button class="button">Done</button></p></form>`,
  });
}
