import { type Html, html } from '../html.ts';
import { icon } from './icon.ts';

interface Pagination {
  /** "100 of 98,204 envoys" or the like. */
  readonly shown: string;
  /** Addresses of the first and the following page; absent when this is it. */
  readonly firstPath?: string | undefined;
  readonly nextPath?: string | undefined;
}

/** Below a list that goes on: cursors lead forward, the browser's way back leads back. */
export function pagination({ shown, firstPath, nextPath }: Pagination): Html {
  return html`<nav class="pagination" aria-label="Pages">
    <span>${shown}</span>
    ${firstPath !== undefined && html`<a class="button small" rel="prev" href="${firstPath}">${icon('left')} First page</a>`}
    ${nextPath !== undefined && html`<a class="button small" rel="next" href="${nextPath}">Next page ${icon('right')}</a>`}
  </nav>`;
}
