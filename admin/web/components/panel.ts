import { type Html, type HtmlValue, html } from '../html.ts';

interface Panel {
  readonly title: string;
  /** Beside the title, at the end: a count, a link. */
  readonly aside?: HtmlValue;
  readonly body: HtmlValue;
  readonly id?: string;
}

/** A part of a page with a title. */
export function panel({ title, aside, body, id }: Panel): Html {
  return html`<section class="panel"${id && html` id="${id}"`}>
    <div class="panel-head"><h2>${title}</h2>${aside && html`<span>${aside}</span>`}</div>
    ${body}
  </section>`;
}
