import { assetPath } from '../assets.ts';
import { type Html, html } from '../html.ts';

/** For pages with buttons of the key that lives in the browser (assets/key-login.js). */
export function keyLoginScript(): Html {
  return html`<script id="key-login" type="module" src="${assetPath('key-login.js')}" data-noble="${assetPath('ed25519.js')}"></script>`;
}
