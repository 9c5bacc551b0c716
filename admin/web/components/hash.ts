import { type Html, html } from '../html.ts';

const shownCharacters = 12;

/** The beginning of a hash; the whole of it is its title, and can be copied from the facts of its page. */
export function shortHash(hash: string): Html {
  return html`<code title="${hash}">${hash.slice(0, shownCharacters)}</code>`;
}
