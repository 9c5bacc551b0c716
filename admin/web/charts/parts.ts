import { type Html, html } from '../html.ts';
import type { ChartText, Tone } from './frame.ts';
import { segments } from './geometry.ts';
import { numberText, shareText } from './scale.ts';

/** One part of a whole, such as the envoys in one state. */
export interface Part {
  readonly label: string;
  readonly tone: Tone;
  readonly value: number;
  /** A page with what is counted here. */
  readonly href?: string;
}

/**
 * Parts of a whole as one bar. The legend under it says every figure in words, so it is the text form of
 * the picture; the smallest part that is not nothing can still be seen.
 */
export function segmentedBar(
  text: ChartText & { readonly parts: readonly Part[]; readonly hideLegend?: boolean },
): Html {
  const { id, title, description, parts } = text;
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  const drawn = segments(parts.map(({ value }) => value));
  return html`<figure class="chart" id="${id}">
    <figcaption>${title}</figcaption>
    <svg class="segments" role="img" aria-labelledby="${id}-title ${id}-description">
      <title id="${id}-title">${title}</title>
      <desc id="${id}-description">${description}</desc>
      <rect class="segments-room" width="100%" height="100%"/>
      ${parts.map((part, at) => segment(part, drawn[at], whole))}
    </svg>
    ${text.hideLegend === true ? '' : partsLegend(parts, whole)}
  </figure>`;
}

function segment(
  { label, tone, value }: Part,
  at: { readonly from: number; readonly width: number } | undefined,
  whole: number,
): Html | '' {
  if (at === undefined || at.width === 0) return '';
  const hint = `${label}: ${numberText(value)} (${shareText(value, whole)})`;
  return html`<rect class="segment tone-${tone}" x="${at.from}%" width="${at.width}%" height="100%"
    ><title>${hint}</title></rect>`;
}

function partsLegend(parts: readonly Part[], whole: number): Html {
  return html`<ul class="chart-legend">${parts.map(({ label, tone, value, href }) => {
    const key = html`<span class="chart-key tone-${tone}" aria-hidden="true"></span>`;
    const words = html`${label} <b>${numberText(value)}</b> <span class="muted">${shareText(value, whole)}</span>`;
    return html`<li>${key}${href === undefined ? words : html`<a href="${href}">${words}</a>`}</li>`;
  })}</ul>`;
}

/** Rows of names and counts with a bar in each: a table that is its own picture. */
export function barTable(table: {
  readonly caption: string;
  readonly labelHeading: string;
  readonly valueHeading: string;
  readonly rows: readonly Part[];
}): Html {
  const { caption, labelHeading, valueHeading, rows } = table;
  const most = Math.max(0, ...rows.map(({ value }) => value));
  const whole = rows.reduce((sum, { value }) => sum + value, 0);
  return html`<table class="table bar-table">
    <caption>${caption}</caption>
    <thead><tr><th scope="col">${labelHeading}</th><th scope="col" class="number">${valueHeading}</th>
      <th scope="col"><span class="visually-hidden">Share</span></th></tr></thead>
    <tbody>${rows.map(({ label, value, tone, href }) => {
      const width = most > 0 ? ((100 * value) / most).toFixed(1) : '0';
      const name = href === undefined ? label : html`<a href="${href}">${label}</a>`;
      return html`<tr><th scope="row">${name}</th><td class="number">${numberText(value)}</td>
        <td class="bar-cell"><svg class="bar" aria-hidden="true"><rect class="tone-${tone}" width="${width}%"
          height="100%" rx="2"/></svg><span class="muted">${shareText(value, whole)}</span></td></tr>`;
    })}</tbody>
  </table>`;
}

/** Circumference 100, so that dashes are percent. */
const ringRadius = 15.9155;

/** One share of a whole as a ring around its figure. `share`: 0 to 1; undefined when there is nothing to share. */
export function ringGauge({
  id,
  title,
  description,
  share,
  tone,
}: ChartText & { readonly share: number | undefined; readonly tone: Tone }): Html {
  const percent = Math.min(100, Math.max(0, 100 * (share ?? 0)));
  const words = share === undefined ? '-' : shareText(share, 1).replaceAll(' ', '');
  return html`<svg class="ring" role="img" viewBox="0 0 40 40" aria-labelledby="${id}-title ${id}-description">
    <title id="${id}-title">${title}</title><desc id="${id}-description">${description}</desc>
    <circle class="ring-room" cx="20" cy="20" r="${ringRadius}"/>
    ${
      percent === 0
        ? ''
        : html`<circle class="ring-share tone-${tone}" cx="20" cy="20" r="${ringRadius}"
            stroke-dasharray="${percent.toFixed(1)} ${(100 - percent).toFixed(1)}" transform="rotate(-90 20 20)"/>`
    }
    <text class="ring-text" x="20" y="20" dy="0.35em">${words}</text>
  </svg>`;
}

/** How full something is: a bar whose tone says when to look. `share`: 0 to 1. */
export function fillBar(label: string, share: number, words: string): Html {
  const tone: Tone = share >= 0.9 ? 'bad' : share >= 0.7 ? 'warning' : 'one';
  const width = (100 * Math.min(1, Math.max(0, share))).toFixed(1);
  return html`<span class="fill"><svg class="bar" role="img" aria-label="${label}: ${words}"><rect
    class="segments-room" width="100%" height="100%" rx="2"/><rect class="tone-${tone}" width="${width}%"
    height="100%" rx="2"/></svg> <span>${words}</span></span>`;
}
