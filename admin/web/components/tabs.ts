import { type Html, html, ownMarkup } from '../html.ts';

interface Tab {
  readonly label: string;
  readonly path: string;
  readonly current: boolean;
}

/** Views of one thing, each with an address of its own. */
export function tabs(label: string, list: readonly Tab[]): Html {
  return html`<nav class="tabs" aria-label="${label}">${list.map(
    ({ label: name, path, current }) =>
      html`<a href="${path}"${current && ownMarkup(' aria-current="page"')}>${name}</a>`,
  )}</nav>`;
}
