import { type Html, type HtmlValue, html } from '../html.ts';

/** Names and values, a line each; values that are missing take no line. */
export function facts(list: readonly (readonly [string, HtmlValue])[]): Html {
  return html`<dl class="facts">${list
    .filter(([, value]) => ![undefined, null, false, ''].includes(value as never))
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
