import { type Html, html } from '../html.ts';

/** Lines that are shown at once; whoever wants more opens the run with the CLI. */
const linesMax = 400;

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^(\+\+\+|---|@@)/, 'diff-hunk'],
  [/^\+/, 'diff-add'],
  [/^-/, 'diff-del'],
];

/** A unified diff; added and removed lines keep their + and -, so that colour is not all. */
export function diffView(diff: string, label: string): Html | undefined {
  if (diff === '') return undefined;
  const lines = diff.replace(/\n$/, '').split('\n');
  const cut = lines.length - linesMax;
  return html`<pre class="diff" tabindex="0" role="region" aria-label="${label}"><code>${lines
    .slice(0, linesMax)
    .map(diffLine)}${
    cut > 0 && html`<span class="diff-line diff-cut">… ${cut} more lines</span>`
  }</code></pre>`;
}

function diffLine(line: string): Html {
  const kind = kinds.find(([pattern]) => pattern.test(line))?.[1];
  return html`<span class="diff-line${kind && html` ${kind}`}">${line === '' ? ' ' : line}</span>`;
}
