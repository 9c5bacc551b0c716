import { actionForm, choiceField, textField } from '../../components/action-form.ts';
import { dialog } from '../../components/dialog.ts';
import { icon } from '../../components/icon.ts';
import { type Html, html } from '../../html.ts';

const hourMs = 3_600_000;

/** Makes a token; the answer opens the other dialog. */
export function newTokenDialog(): Html {
  const hours = (count: number) => String(count * hourMs);
  return dialog({
    id: 'new-token',
    title: 'Enroll a machine',
    body: actionForm({
      api: 'POST /api/v1/tokens',
      submit: 'Make the token',
      show: 'token-made',
      fields: html`<div class="field"><label for="token-match">Host name</label>
          <input id="token-match" name="match" data-as="lines" required maxlength="500" autocomplete="off"
            autocapitalize="none" spellcheck="false" placeholder="web-1" aria-describedby="token-match-hint">
          <span class="hint" id="token-match-hint">A name or a glob such as web-*; several with commas.
            The token enrolls one machine.</span></div>
        ${choiceField({
          id: 'token-life',
          name: 'expiresInMs',
          label: 'It ends after',
          isNumber: true,
          value: hours(24),
          options: [
            [hours(1), '1 hour'],
            [hours(24), '1 day'],
            [hours(168), '1 week'],
            [hours(720), '30 days'],
          ],
        })}
        ${textField({
          id: 'token-address',
          name: 'address',
          label: 'Address of this server for the machine',
          hint: 'Only when it is not the usual one; it must be a name in the server’s certificate.',
        })}`,
    }),
  });
}

/** The command, once: nobody can see the token again. */
export function createdDialog(): Html {
  return dialog({
    id: 'token-made',
    title: 'Run this on the machine',
    body: html`<p>The token stands in it and is shown only now.
        The command checks the server’s key before it reads anything.</p>
      ${command('token-curl', 'With curl', 'install.curl')}
      ${command('token-wget', 'With wget', 'install.wget')}
      <details><summary>The token alone</summary>
        <p class="muted small">For a machine that has the agent already:
          <code>sudo vigo install --server … --token …</code></p>
        ${command('token-alone', 'Token', 'token')}</details>
      <form method="dialog"><button class="button">Done</button></form>`,
  });
}

function command(id: string, label: string, field: string): Html {
  return html`<div class="field"><span class="label" id="${id}-label">${label}</span>
    <div class="copyable"><code id="${id}" data-field="${field}" tabindex="0" aria-labelledby="${id}-label"></code>
    <button type="button" class="icon-button" data-copy="${id}" aria-label="Copy: ${label}">${icon('copy')}</button></div></div>`;
}
