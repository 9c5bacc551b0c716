import type { AccountView, Grant, SessionView } from '../../../../actors/accounts/messages.ts';
import type { Principal } from '../../../api/authenticate.ts';
import { idParameter, nothing } from '../../../api/schemas.ts';
import { actionForm, choiceField, fixedField, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { facts } from '../../components/facts.ts';
import { live } from '../../components/live.ts';
import { panel } from '../../components/panel.ts';
import { badge } from '../../components/state-badge.ts';
import { table } from '../../components/table.ts';
import { timeAgo, timeAt } from '../../components/time.ts';
import { type Html, html } from '../../html.ts';
import { may } from '../../may.ts';
import { page } from '../../page.ts';
import { part } from '../../path.ts';
import { personOf } from '../policy/words.ts';
import { accountState, passwordDialog } from './accounts.ts';
import { accessRoleOptions, roleOptions } from './roles.ts';

type Account = AccountView & { readonly sessions: readonly SessionView[] };

const sessionsShown = 50;

/** One person: role, grants, factors, sessions, and what an administrator may change. */
export const accountPage = page({
  path: '/people/{id}',
  summary: 'A person',
  access: 'access.read',
  parameters: idParameter,
  query: nothing,
  render: async ({ read, parameters, asker, nowMs }) => {
    const account = await read<Account>(`/api/v1/users/${part(parameters.id)}`);
    const canManage = may(asker, 'access.manage') && account.deletedAtMs === undefined;
    return {
      title: account.name,
      crumbs: [{ label: 'People', path: '/people' }],
      listen: { types: ['account.*', 'session.*'] },
      ...(canManage ? { actions: buttons(account) } : {}),
      body: html`${live({
        id: 'account',
        path: `/people/${part(account.name)}`,
        body: html`<div class="columns">${about(account, nowMs)}${grantsPanel(account.grants)}</div>
          ${sessionTable(account.sessions, asker, nowMs)}`,
      })}${canManage && dialogs(account)}`,
    };
  },
});

function about(account: Account, nowMs: number): Html {
  const { displayName, email, role, hasPassword, totp, recoveryCodesLeft } = account;
  return panel({
    title: displayName || account.name,
    aside:
      account.deletedAtMs === undefined ? accountState(account) : badge('deleted', 'away', 'cross'),
    body: facts([
      ['E-mail', email],
      ['Role', html`<span class="tag">${role}</span>`],
      [
        'Password',
        hasPassword
          ? html`set${account.passwordChangedAtMs !== undefined && html`, changed ${timeAgo(account.passwordChangedAtMs, nowMs)}`}`
          : 'none: logs in by key or provider',
      ],
      [
        'Second factor',
        totp
          ? html`${badge('on', 'good')} <span class="muted">${recoveryCodesLeft} recovery codes left</span>`
          : badge('off', 'warning', 'diamond'),
      ],
      ['Last login', timeAgo(account.lastLoginMs, nowMs)],
      ['Made', html`by ${personOf(account.createdBy)}, ${timeAt(account.createdAtMs)}`],
      [
        'History',
        html`<a href="/audit?actor=${encodeURIComponent(`admin:${account.name}`)}">What ${account.name} did</a>`,
      ],
    ]),
  });
}

function grantsPanel(grants: readonly Grant[]): Html {
  return panel({
    title: 'Over some envoys',
    body:
      grants.length === 0
        ? html`<p class="muted">No grant: the role alone decides.</p>`
        : html`<ul class="list">${grants.map(
            ({ role, envoys }) =>
              html`<li><span><span class="tag">${role}</span> on <span class="mono">${envoys}</span></span></li>`,
          )}</ul>`,
  });
}

function sessionTable(sessions: readonly SessionView[], asker: Principal, nowMs: number): Html {
  const shown = sessions.slice(0, sessionsShown);
  if (shown.length === 0) return html`<p class="muted">There was no session.</p>`;
  return html`<h2 class="table-title">Sessions</h2>${table({
    caption: 'Sessions, newest first',
    rows: shown,
    rowId: ({ id }) => `session-${id}`,
    columns: [
      {
        label: 'Begun',
        cell: ({ createdAtMs, id }) =>
          html`${timeAgo(createdAtMs, nowMs)}${id === asker.sessionId && html` ${badge('this one', 'good')}`}`,
      },
      { label: 'Proven by', cell: ({ method }) => method },
      { label: 'From', cell: ({ peerAddress }) => html`<span class="mono">${peerAddress}</span>` },
      {
        label: 'Program',
        cell: ({ userAgent }) => html`<span class="muted clamp">${userAgent}</span>`,
      },
      { label: 'Last used', cell: ({ lastUsedMs }) => timeAgo(lastUsedMs, nowMs) },
      { label: 'State', cell: (session) => sessionState(session, nowMs) },
    ],
  })}`;
}

function sessionState({ endedAtMs, endedBecause, expiresAtMs }: SessionView, nowMs: number): Html {
  if (endedAtMs !== undefined) return html`<span class="muted">ended: ${endedBecause}</span>`;
  return expiresAtMs <= nowMs
    ? html`<span class="muted">over</span>`
    : badge('open', 'notice', 'ring');
}

function buttons({ disabledAtMs }: Account): Html {
  return html`<button type="button" class="button" data-dialog="change-account">Change</button>
    <button type="button" class="button" data-dialog="grant">Grant</button>
    <button type="button" class="button" data-dialog="reset">Reset</button>
    <button type="button" class="button danger" data-dialog="end">
      ${disabledAtMs === undefined ? 'Disable' : 'Enable'} or delete</button>`;
}

function dialogs(account: Account): Html {
  return html`${changeDialog(account)}${grantDialog(account)}${resetDialog(account)}${endDialog(account)}${passwordDialog()}`;
}

const pathOf = ({ id }: Account) => `/api/v1/users/${part(id)}`;

function changeDialog(account: Account): Html {
  return dialog({
    id: 'change-account',
    title: `Change ${account.name}`,
    body: actionForm({
      api: `PUT ${pathOf(account)}`,
      submit: 'Change',
      done: 'Changed',
      fields: html`${choiceField({ id: 'change-role', name: 'role', label: 'Role', value: account.role, options: roleOptions, hint: 'Another role ends every session.' })}
        ${textField({ id: 'change-display', name: 'displayName', label: 'Full name', value: account.displayName, maxLength: 200 })}
        ${textField({ id: 'change-email', name: 'email', label: 'E-mail', value: account.email, maxLength: 200 })}`,
    }),
  });
}

/** The API takes all grants at once; those that are there go along unseen. */
function grantDialog(account: Account): Html {
  const { grants } = account;
  const kept = grants.map(
    ({ role, envoys }, at) =>
      html`${fixedField(`grants.${at}.role`, role)}${fixedField(`grants.${at}.envoys`, envoys)}`,
  );
  return dialog({
    id: 'grant',
    title: `Grants of ${account.name}`,
    body: html`${grants.length > 0 && html`<ul class="list">${grants.map((grant, at) => grantRow(account, grant, at))}</ul>`}
      ${actionForm({
        api: `PUT ${pathOf(account)}`,
        submit: 'Grant',
        done: 'Granted',
        fields: html`${kept}${choiceField({ id: 'grant-role', name: `grants.${grants.length}.role`, label: 'Role', value: 'viewer', options: accessRoleOptions })}
          ${textField({
            id: 'grant-envoys',
            name: `grants.${grants.length}.envoys`,
            label: 'Over which envoys',
            required: true,
            maxLength: 300,
            hint: 'A glob of host names (web-*), an id, or a trait (os.family=debian).',
          })}`,
      })}`,
  });
}

function grantRow(account: Account, { role, envoys }: Grant, at: number): Html {
  const rest = { grants: account.grants.filter((_, each) => each !== at) };
  return html`<li><span><span class="tag">${role}</span> on <span class="mono">${envoys}</span></span>
    <button type="button" class="button small danger" data-api="PUT ${pathOf(account)}" data-body="${JSON.stringify(rest)}"
      data-done="Taken back" data-then="reload">Take back</button></li>`;
}

function resetDialog(account: Account): Html {
  return dialog({
    id: 'reset',
    title: `Reset for ${account.name}`,
    body: html`${actionForm({
      api: `POST ${pathOf(account)}/password`,
      submit: 'Make up a new password',
      show: 'password-made',
    })}
    ${account.totp && actionForm({ api: `DELETE ${pathOf(account)}/totp`, submit: 'Remove the second factor', look: 'danger', done: 'Removed' })}
    ${actionForm({ api: `DELETE ${pathOf(account)}/sessions`, submit: 'End every session', look: 'danger', done: 'Ended' })}`,
  });
}

function endDialog(account: Account): Html {
  const order = account.disabledAtMs === undefined ? 'disable' : 'enable';
  return dialog({
    id: 'end',
    title: account.name,
    body: html`<p>A disabled account has no sessions, and its tokens do not work, until it is enabled again.</p>
      ${actionForm({
        api: `POST ${pathOf(account)}/${order}`,
        submit: order === 'disable' ? 'Disable' : 'Enable',
        done: 'Done',
      })}
      <p>A deleted one is gone for ever, and its name is not given again.</p>
      ${actionForm({ api: `DELETE ${pathOf(account)}`, submit: `Delete ${account.name}`, look: 'danger', next: '/people', done: 'Deleted' })}`,
  });
}
