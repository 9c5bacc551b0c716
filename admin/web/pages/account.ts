import { Type } from 'typebox';
import { renderSVG } from 'uqr';
import { type Route, route } from '../../api/route.ts';
import { nothing, object } from '../../api/schemas.ts';
import { actionForm } from '../components/action-form.ts';
import { facts } from '../components/facts.ts';
import { icon } from '../components/icon.ts';
import { keyLoginScript } from '../components/key-login.ts';
import { panel } from '../components/panel.ts';
import { badge } from '../components/state-badge.ts';
import { table } from '../components/table.ts';
import { timeAgo, timeAt } from '../components/time.ts';
import { type Html, html, nothing as noMarkup } from '../html.ts';
import { page } from '../page.ts';
import { part } from '../path.ts';

/** As GET /api/v1/session tells it. */
interface Self {
  readonly name: string;
  readonly displayName: string;
  readonly role: string;
  readonly grants: readonly { role: string; envoys: string }[];
  readonly accountId: string | null;
  readonly hasPassword: boolean;
  readonly totp: boolean;
  readonly recoveryCodesLeft: number;
  readonly mustChangePassword: boolean;
}

interface Session {
  readonly id: string;
  readonly method: string;
  readonly createdAtMs: number;
  readonly lastUsedMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs?: number;
  readonly peerAddress: string;
  readonly userAgent: string;
  readonly current: boolean;
}

interface Key {
  readonly fingerprint: string;
  readonly comment: string;
  readonly createdAtMs: number;
}

const sessionsShown = 50;

const account = page({
  path: '/account',
  summary: 'Your account: password, second factor, sessions',
  access: 'access.self',
  parameters: nothing,
  query: nothing,
  render: async ({ read, nowMs }) => {
    const self = await read<Self>('/api/v1/session');
    if (self.accountId === null) return { title: 'Your account', body: tokenNotice(self) };
    const [{ items }, keys] = await Promise.all([
      read<{ items: Session[] }>('/api/v1/account/sessions'),
      read<{ items: Key[] }>('/api/v1/account/keys'),
    ]);
    return {
      title: 'Your account',
      body: html`${dueNotice(self)}<div class="columns">
          <div>${panel({ title: 'You', body: selfFacts(self) })}${passwordPanel(self)}</div>
          <div>${self.totp ? totpPanel(self) : noTotpPanel(self)}${keyPanel(self, keys.items, nowMs)}</div>
        </div>${sessionPanel(items, nowMs)}${keyLoginScript()}`,
    };
  },
});

function tokenNotice({ name }: Self): Html {
  return html`<div class="callout state-notice"><p>You use the token ${name}, which belongs to no account.
    Log in as a person to have a password, a second factor and sessions.</p></div>`;
}

function dueNotice({ mustChangePassword }: Self): Html {
  if (!mustChangePassword) return noMarkup;
  return html`<div class="callout state-warning"><p><strong>Choose a password of your own.</strong>
    Somebody else knows the present one; until it is changed you can do nothing else.</p></div>`;
}

function selfFacts({ name, displayName, role, grants }: Self): Html {
  return facts([
    ['Name', name],
    ['Full name', displayName === name ? undefined : displayName],
    ['Role', role],
    [
      'Grants',
      grants.length > 0 &&
        html`${grants.map((grant) => html`<span class="tag">${grant.role} on ${grant.envoys}</span> `)}`,
    ],
  ]);
}

function passwordField(id: string, name: string, label: string, kind: 'current' | 'new'): Html {
  return html`<div class="field"><label for="${id}">${label}</label>
    <input id="${id}" name="${name}" type="password" required maxlength="1000" autocomplete="${kind}-password"></div>`;
}

function codeField(id: string, label: string): Html {
  return html`<div class="field"><label for="${id}">${label}</label>
    <input id="${id}" name="code" required maxlength="100" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"></div>`;
}

function passwordPanel({ hasPassword }: Self): Html {
  if (!hasPassword) {
    const body = html`<p class="muted">You have none: you log in with a key, or at the OpenID provider.</p>`;
    return panel({ title: 'Password', body });
  }
  return panel({
    title: 'Password',
    body: html`<p class="muted">A new password ends every other session of yours.</p>${actionForm({
      api: 'POST /api/v1/account/password',
      fields: html`${passwordField('current', 'current', 'Present password', 'current')}${passwordField('next', 'next', 'New password', 'new')}`,
      submit: 'Change the password',
      done: 'The password is changed',
    })}`,
  });
}

function noTotpPanel({ hasPassword }: Self): Html {
  return panel({
    title: 'Second factor',
    aside: badge('off', 'warning', 'triangle'),
    body: html`<p>${
      hasPassword
        ? 'A code of an authenticator app beside the password: who learns the password alone gets nowhere.'
        : 'A code of an authenticator app beside your key or provider. It takes a login of the last ten minutes: log in again if yours is older.'
    }</p>
      ${actionForm({
        api: 'POST /api/v1/account/totp',
        fields:
          hasPassword && passwordField('totp-current', 'current', 'Present password', 'current'),
        submit: 'Set it up',
        show: 'totp-confirm',
      })}
      <div id="totp-confirm" hidden>
        <p>Scan this with the app, or type the key.</p>
        <img class="qr" data-qr="uri" alt="QR code of the key" src="data:,">
        <p class="mono" data-field="secret"></p>
        ${actionForm({
          api: 'POST /api/v1/account/totp/confirm',
          fields: codeField('totp-code', 'First code of the app'),
          submit: 'Turn it on',
          show: 'recovery',
        })}
      </div>
      <div id="recovery" class="callout state-good" hidden>
        <p><strong>The second factor is on.</strong> 
        Keep these recovery codes where the phone is not: each of them
        works once instead of a code, and they are not shown again.</p>
        <pre id="recovery-codes" data-field="recoveryCodes"></pre>
        <p><button type="button" class="button small" data-copy="recovery-codes">${icon('copy')} Copy</button> <a class="button small" href="/account">Done</a></p>
      </div>`,
  });
}

function totpPanel({ recoveryCodesLeft }: Self): Html {
  return panel({
    title: 'Second factor',
    aside: badge('on', 'good'),
    body: html`<p>Recovery codes left: ${recoveryCodesLeft}.</p>${actionForm({
      api: 'POST /api/v1/account/totp/remove',
      fields: codeField('remove-code', 'Code of the app, or a recovery code'),
      submit: 'Turn it off',
      look: 'danger',
      done: 'The second factor is off',
    })}`,
  });
}

/** A path has no "/" of its own, also when it is escaped. */
function keyInPath(fingerprint: string): string {
  return fingerprint.replaceAll('+', '-').replaceAll('/', '_');
}

/** Keys to log in with; one of them may live in this browser, from which nobody can copy it. */
function keyPanel({ name }: Self, keys: readonly Key[], nowMs: number): Html {
  return panel({
    title: 'Keys',
    body: html`<p class="muted">A key of this browser logs you in without a password.
        Keys of an SSH agent are added with <code>vigocli auth add-key</code>.</p>
      ${
        keys.length > 0 &&
        html`<ul class="list">${keys.map(
          ({ fingerprint, comment, createdAtMs }) =>
            html`<li><span class="cell-main">${comment}</span> <code class="muted">${fingerprint}</code> <span class="muted small">${timeAgo(createdAtMs, nowMs)}</span>
            <button type="button" class="button small" data-api="DELETE /api/v1/account/keys/${part(keyInPath(fingerprint))}" data-then="reload" data-confirm="Remove this key?">Remove</button></li>`,
        )}</ul>`
      }
      <p class="form-error" data-error role="alert"></p>
      <p><button type="button" class="button" data-key-register data-account="${name}"
        hidden>${icon('key')} Add a key of this browser</button>
      <button type="button" class="button" data-key-forget data-account="${name}" hidden>Forget the key of this browser</button></p>`,
  });
}

/** "Firefox on Linux", as far as the program tells; what it says is nobody's proof. */
function programOf(userAgent: string): string {
  const name = /\b(Edg|Firefox|Chrome|Safari|vigocli|curl)\b/.exec(userAgent)?.[1];
  const system = /\b(Windows|Android|iPhone|iPad|Mac OS X|Linux)\b/.exec(userAgent)?.[1];
  if (name === undefined) return userAgent.slice(0, 40) || 'unknown';
  return system === undefined ? name : `${name} on ${system}`;
}

function sessionPanel(sessions: readonly Session[], nowMs: number): Html {
  const open = sessions.filter(({ endedAtMs }) => endedAtMs === undefined).slice(0, sessionsShown);
  return panel({
    title: 'Sessions',
    aside:
      open.length > 1 &&
      html`<button type="button" class="button small" data-api="DELETE /api/v1/account/sessions" data-then="reload" data-confirm="End every session but this one?">End all others</button>`,
    body: table<Session>({
      caption: 'Where you are logged in',
      rows: open,
      columns: [
        {
          label: 'From',
          cell: ({ peerAddress, current }) =>
            html`<span class="cell-main">${peerAddress}</span>${current && html` ${badge('this one', 'good')}`}`,
        },
        {
          label: 'With',
          cell: ({ userAgent }) => html`<span title="${userAgent}">${programOf(userAgent)}</span>`,
        },
        { label: 'Proven by', cell: ({ method }) => method },
        { label: 'Began', cell: ({ createdAtMs }) => timeAt(createdAtMs) },
        { label: 'Used', cell: ({ lastUsedMs }) => timeAgo(lastUsedMs, nowMs) },
        {
          label: 'End',
          cell: ({ id, current }) =>
            !current &&
            html`<button type="button" class="button small" data-api="DELETE /api/v1/account/sessions/${part(id)}" data-then="reload">End</button>`,
        },
      ],
    }),
  });
}

/** Draws a QR code of a text that the browser has: the key of a second factor stands in no address. */
const code: Route = route({
  method: 'POST',
  path: '/account/code',
  summary: 'A text as a QR code',
  access: 'access.self',
  parameters: nothing,
  query: nothing,
  body: object({ text: Type.String({ minLength: 1, maxLength: 1000 }) }),
  handle: async ({ body }) => ({ svg: renderSVG(body.text) }),
});

export const accountPages = [account, code];
