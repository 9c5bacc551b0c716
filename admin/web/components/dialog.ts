import { type Html, html } from '../html.ts';
import { icon } from './icon.ts';

interface Dialog {
  /** A button with `data-dialog="<id>"` opens it. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** A modal dialog; the browser keeps the focus in it and closes it with Esc. */
export function dialog({ id, title, body }: Dialog): Html {
  return html`<dialog id="${id}" class="dialog" aria-labelledby="${id}-title">
    <div class="dialog-head"><h2 id="${id}-title">${title}</h2>
    <form method="dialog"><button class="icon-button" aria-label="Close">${icon('close')}</button></form></div>
    ${body}
  </dialog>`;
}
