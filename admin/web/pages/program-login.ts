import { icon } from '../components/icon.ts';
import { html } from '../html.ts';
import type { PageView } from '../page.ts';

interface Handed {
  /** Name of the account. */
  readonly account: string;
  /** What the program shows too. */
  readonly compared: string;
  readonly code: string;
  /** Where the program takes the code. */
  readonly address: string;
}

/**
 * Asks before a program becomes somebody (RFC 8252, section 8.6): a link that a stranger sent looks the
 * same up to here.
 */
export function programLoginView({ account, compared, code, address }: Handed): PageView {
  return {
    title: 'Log vigocli in?',
    body: html`<section class="panel">
      <p>You are <strong>${account}</strong>. A vigocli waits for this login. It shows</p>
      <p class="mono"><strong>${compared}</strong></p>
      <p>Go on only if you started it yourself and it shows the same: it will be able to do what you can do.
        Otherwise close this page.</p>
      <p><a class="button primary wide" href="${address}">It shows the same: log it in</a></p>
      <details><summary>It runs on another machine</summary>
        <p>Paste this there. It works once, for a few minutes, and nowhere else.</p>
        <p><code id="handover">${code}</code>
          <button type="button" class="button small" data-copy="handover">${icon('copy')} Copy</button></p>
      </details>
    </section>`,
  };
}
