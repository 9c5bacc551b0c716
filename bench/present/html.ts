import { chartColours, chartSvg } from './chart.ts';
import { escapeHtml } from './escape.ts';
import type { Chart, Fact, ReportView, Section, Table } from './view.ts';

/** One file: no script, nothing fetched. Light and dark follow the reader's system. */
const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--edge:#d0d7de;
--good:#1a7f37;--bad:#b42318;--c0:#0969da;--c1:#bf5b04;--c2:#1a7f37;--c3:#8250df}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--paper:#0d1117;
--edge:#30363d;--good:#3fb950;--bad:#ff7b72;--c0:#58a6ff;--c1:#f0883e;--c2:#3fb950;--c3:#bc8cff}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.verdict{font-size:1.1rem;border-left:4px solid var(--edge);padding:.5rem 1rem}
.good{color:var(--good)}.bad{color:var(--bad)}
.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}
.warning{border:1px solid var(--bad);border-radius:6px;padding:.5rem 1rem}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{border-bottom:1px solid var(--edge);padding:.3rem .8rem;text-align:right}
td:first-child,th:first-child,.facts td:last-child{text-align:left}
svg{width:100%;height:auto}.grid{stroke:var(--edge)}
.tick{fill:var(--soft);font-size:11px;text-anchor:end}.below{text-anchor:middle}
.line{fill:none;stroke-width:2}
${Array.from({ length: chartColours }, (_, at) => at)
  .map(colourRules)
  .join('\n')}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .4em 0 1em}
figure{margin:1rem 0}figcaption{font-weight:600}p.soft{color:var(--soft)}`;

function colourRules(at: number): string {
  const colour = `var(--c${at})`;
  return `.line.c${at}{stroke:${colour}}.dot.c${at}{fill:${colour}}.key.c${at}{background:${colour}}`;
}

export function viewHtml(view: ReportView): string {
  const { good, text } = view.verdict;
  const title = escapeHtml(view.title);
  const warnings = view.warnings.map(
    (warning) => `<p class="warning"><b>Warning</b>: ${escapeHtml(warning)}</p>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${style}</style></head><body><main>
<h1>${title}</h1>
<p class="verdict ${good ? 'good' : 'bad'}">${escapeHtml(text)}</p>
${warnings.join('\n')}
${view.sections.map(section).join('\n')}
${view.charts.map(chart).join('\n')}
</main></body></html>
`;
}

function section({ title, facts, table, notes }: Section): string {
  return [
    title === '' ? '' : `<h2>${escapeHtml(title)}</h2>`,
    facts === undefined ? '' : factsTable(facts),
    table === undefined ? '' : dataTable(table),
    ...(notes ?? []).map((note) => `<p class="soft">${escapeHtml(note)}</p>`),
  ].join('');
}

function factsTable(facts: readonly Fact[]): string {
  const rows = facts.map(({ name, value, good }) => {
    const mark = good === undefined ? '' : ` class="${good ? 'good' : 'bad'}"`;
    return `<tr><td>${escapeHtml(name)}</td><td${mark}>${escapeHtml(value)}</td></tr>`;
  });
  return `<table class="facts"><tbody>${rows.join('')}</tbody></table>`;
}

function dataTable({ columns, rows }: Table): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function chart(drawn: Chart): string {
  const keys = drawn.lines.map(
    ({ name }, at) => `<span class="key c${at % chartColours}"></span>${escapeHtml(name)}`,
  );
  const caption = `${escapeHtml(drawn.title)} (${escapeHtml(drawn.unit)})`;
  return `<figure><figcaption>${caption} ${keys.join('')}</figcaption>${chartSvg(drawn)}</figure>`;
}
