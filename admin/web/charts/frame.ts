import { type Html, html } from '../html.ts';
import { boxHeight, boxWidth, rangeOf, type Sample, type TimeRange, xOf, yOf } from './geometry.ts';
import { type Axis, numberText, timeText, timeTicks } from './scale.ts';

/**
 * What every chart over time has: a caption, axes whose texts keep their size at any width, a legend,
 * and the same figures as a table for whoever cannot see shapes. Colours come from classes alone
 * (`tone-...` in charts.css): the pages' policy forbids styles in markup.
 */
export interface ChartText {
  /** Unique in its page: names the title and the description for screen readers. */
  readonly id: string;
  readonly title: string;
  /** One or two sentences: what there is to see, with the figures that matter now. */
  readonly description: string;
}

/** Colours that mean something, and eight that only tell apart. */
export type Tone =
  | 'good'
  | 'notice'
  | 'warning'
  | 'serious'
  | 'bad'
  | 'away'
  | 'unknown'
  | 'one'
  | 'two'
  | 'three'
  | 'four'
  | 'five'
  | 'six'
  | 'seven'
  | 'eight';

export interface Series {
  readonly label: string;
  readonly tone: Tone;
}

export interface TimeChart extends ChartText {
  readonly series: readonly Series[];
  /** By time, each with one value for each series. */
  readonly samples: readonly Sample[];
  /** Behind numbers: "ms", "%". */
  readonly unit?: string;
  /** With a button that makes it a chart that can be zoomed (assets/zoom-chart.js). */
  readonly zoom?: 'stacked' | 'lines';
}

/** Where in the plot the box with the shapes stands, percent of its height. */
const boxTop = 4;
const boxShare = 84;
/** Samples that say what they are under the pointer; more would make the page heavy. */
const hintsMax = 120;
/** Rows of the table; with more samples every so many-th stands in it. */
const tableRowsMax = 48;

/** `shapes` are drawn in a box of boxWidth by boxHeight that is stretched to the plot. */
export function timeFrame(chart: TimeChart, axis: Axis, shapes: Html | readonly Html[]): Html {
  const { id, title, description, samples } = chart;
  if (samples.length === 0) return emptyFrame(chart);
  const range = rangeOf(samples);
  return html`<figure class="chart" id="${id}"${zoomData(chart)}>
    <figcaption>${title}${zoomButton(chart)}</figcaption>
    <div class="chart-frame">
      <svg class="chart-axis" aria-hidden="true">${axis.ticks.map((tick) => valueLabel(tick, axis.top))}</svg>
      <svg class="chart-plot" role="img" aria-labelledby="${id}-title ${id}-description">
        <title id="${id}-title">${title}</title>
        <desc id="${id}-description">${description}</desc>
        <svg y="${boxTop}%" width="100%" height="${boxShare}%" viewBox="0 0 ${boxWidth} ${boxHeight}"
          preserveAspectRatio="none">
          ${axis.ticks.map((tick) => gridLine(yOf(tick, axis.top)))}
          ${shapes}
          ${hints(chart, range)}
        </svg>
        ${timeTicks(range.fromMs, range.toMs).map(({ atMs, label }) => timeLabel(xOf(atMs, range), label))}
      </svg>
    </div>
    ${legend(chart)}
    ${dataTable(chart)}
  </figure>`;
}

/** What the browser's module draws from: [times in seconds, a list for each series]. */
function zoomData({ zoom, series, samples, unit }: TimeChart): Html | '' {
  if (zoom === undefined) return '';
  const columns = series.map((_, at) => samples.map(({ values }) => values[at] ?? null));
  const data = {
    kind: zoom,
    unit: unit ?? '',
    labels: series.map(({ label }) => label),
    times: samples.map(({ atMs }) => Math.round(atMs / 1000)),
    columns,
  };
  return html` data-zoom="${JSON.stringify(data)}"`;
}

function zoomButton({ zoom, title }: TimeChart): Html | '' {
  if (zoom === undefined) return '';
  return html`<button type="button" class="button small chart-zoom" data-zoom-open>Zoom<span
    class="visually-hidden"> into: ${title}</span></button>`;
}

/** A chart of nothing says so, in the place where it will be. */
export function emptyFrame({ id, title }: ChartText): Html {
  return html`<figure class="chart" id="${id}">
    <figcaption>${title}</figcaption>
    <p class="chart-empty">Nothing to draw yet.</p>
  </figure>`;
}

function valueLabel(tick: number, top: number): Html {
  const y = boxTop + (boxShare * yOf(tick, top)) / boxHeight;
  return html`<text x="100%" y="${y.toFixed(1)}%" dy="4">${numberText(tick, true)}</text>`;
}

function gridLine(y: number): Html {
  return html`<line class="chart-grid" x1="0" x2="${boxWidth}" y1="${y}" y2="${y}"/>`;
}

function timeLabel(x: number, label: string): Html {
  const share = (100 * x) / boxWidth;
  const anchor = share < 4 ? 'start' : share > 96 ? 'end' : 'middle';
  return html`<text class="chart-time" x="${share.toFixed(1)}%" y="99%" text-anchor="${anchor}">${label}</text>`;
}

/** What a pointer over a time reads, without a script. */
function hints(chart: TimeChart, range: TimeRange): readonly Html[] {
  const { samples } = chart;
  if (samples.length > hintsMax || samples.length < 2) return [];
  return samples.map((sample, at) => {
    const here = xOf(sample.atMs, range);
    const before = at === 0 ? 0 : (here + xOf(samples[at - 1]?.atMs ?? 0, range)) / 2;
    const next = samples[at + 1];
    const after = next === undefined ? boxWidth : (here + xOf(next.atMs, range)) / 2;
    const width = (after - before).toFixed(1);
    return html`<rect class="chart-hint" x="${before.toFixed(1)}" y="0" width="${width}" height="${boxHeight}"
      ><title>${hintText(chart, sample)}</title></rect>`;
  });
}

function hintText({ series, unit }: TimeChart, { atMs, values }: Sample): string {
  const parts = series.map(({ label }, at) => `${label} ${valueText(values[at], unit)}`);
  return [timeText(atMs), ...parts].join('\n');
}

function valueText(value: number | undefined, unit: string | undefined): string {
  if (value === undefined) return '-';
  return unit === undefined ? numberText(value) : `${numberText(value)} ${unit}`;
}

/** The newest values stand beside the names, so that the legend alone says how it is. */
function legend({ series, samples, unit }: TimeChart): Html {
  const newest = samples.at(-1)?.values ?? [];
  return html`<ul class="chart-legend">${series.map(
    ({ label, tone }, at) =>
      html`<li><span class="chart-key tone-${tone}" aria-hidden="true"></span>${label}
        <b>${valueText(newest[at], unit)}</b></li>`,
  )}</ul>`;
}

function dataTable({ title, series, samples, unit }: TimeChart): Html {
  const every = Math.ceil(samples.length / tableRowsMax);
  const last = samples.length - 1;
  const rows = samples.filter((_, at) => (last - at) % every === 0).toReversed();
  return html`<details class="chart-data">
    <summary>Figures<span class="visually-hidden"> of: ${title}</span></summary>
    <div class="table-scroll" tabindex="0" role="region" aria-label="Figures of: ${title}">
      <table class="table">
        <thead><tr><th scope="col">Time</th>${series.map(
          ({ label }) => html`<th scope="col" class="number">${label}</th>`,
        )}</tr></thead>
        <tbody>${rows.map(
          ({ atMs, values }) =>
            html`<tr><th scope="row">${timeText(atMs)}</th>${series.map(
              (_, at) => html`<td class="number">${valueText(values[at], unit)}</td>`,
            )}</tr>`,
        )}</tbody>
      </table>
    </div>
  </details>`;
}
