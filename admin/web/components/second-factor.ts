import { type Html, html } from '../html.ts';

/**
 * Asks for the code of a login whose first proof was good. Without a challenge it is hidden, and filled
 * and shown when the answer to the form before it is one.
 */
export function secondFactorForm(next: string, challenge?: string): Html {
  return html`<form class="panel" id="second-factor"${challenge === undefined && html` hidden`} data-api="POST /api/v1/session/second-factor" data-then="${next}">
    <input type="hidden" name="challenge" data-field="challenge" value="${challenge ?? ''}">
    <div class="field"><label for="code">Code</label>
      <input id="code" name="code" required maxlength="100" autocomplete="one-time-code"${challenge !== undefined && html` autofocus`} autocapitalize="none" spellcheck="false" aria-describedby="code-hint">
      <span class="hint" id="code-hint">Of your authenticator app, or one of your recovery codes.</span></div>
    <p class="form-error" data-error role="alert"></p>
    <button class="button primary">Log in</button>
    <a class="button" href="/login">Begin again</a>
  </form>`;
}
