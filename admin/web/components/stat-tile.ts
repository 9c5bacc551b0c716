import { type Html, type HtmlValue, html } from '../html.ts';

interface StatTile {
  readonly label: string;
  readonly figure: HtmlValue;
  readonly unit?: string;
  readonly note?: HtmlValue;
  /** Where the figure comes from. */
  readonly path?: string;
}

/** One figure that is read at a glance. */
export function statTile({ label, figure, unit, note, path }: StatTile): Html {
  const inside = html`<span class="tile-label">${label}</span>
    <span class="tile-figure">${figure}${unit && html`<span class="tile-unit">${unit}</span>`}</span>
    ${note && html`<span class="tile-note">${note}</span>`}`;
  return path === undefined
    ? html`<div class="tile">${inside}</div>`
    : html`<a class="tile" href="${path}">${inside}</a>`;
}
