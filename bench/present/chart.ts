import { escapeHtml } from './escape.ts';
import type { Chart, Line } from './view.ts';

const width = 720;
const height = 220;
const margin = { left: 64, right: 12, top: 10, bottom: 34 } as const;
/** Labelled values on each axis, about. */
const ticksWanted = 5;
/** The style sheet knows so many colours. */
export const chartColours = 4;

/** An inline SVG without scripts; the colours come from the page's style sheet. */
export function chartSvg({ title, unit, xUnit, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const left = Math.min(0, ...xs);
  const right = Math.max(left + 1e-9, ...xs);
  const top = niceCeiling(Math.max(1e-9, ...ys));
  const toX = (x: number) =>
    margin.left + ((x - left) / (right - left)) * (width - margin.left - margin.right);
  const toY = (y: number) =>
    height - margin.bottom - (y / top) * (height - margin.top - margin.bottom);
  const grid = ticks(top).map((y) => {
    const at = toY(y).toFixed(1);
    const label = `<text class="tick" x="${margin.left - 8}" y="${at}" dy="4">${short(y)}</text>`;
    return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/>${label}`;
  });
  const below = ticks(right).map((x) => {
    const at = toX(x).toFixed(1);
    return `<text class="tick below" x="${at}" y="${height - margin.bottom + 18}">${short(x)}</text>`;
  });
  const name = escapeHtml(`${title}, ${unit} over ${xUnit}`);
  const drawn = lines.map((line, at) => drawLine(line, at % chartColours, toX, toY));
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}">` +
    `${grid.join('')}${below.join('')}${drawn.join('')}</svg>`
  );
}

function drawLine(
  { name, points, dots }: Line,
  colour: number,
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  const places = points.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`);
  const title = `<title>${escapeHtml(name)}</title>`;
  if (dots !== true) {
    return `<polyline class="line c${colour}" points="${places.join(' ')}">${title}</polyline>`;
  }
  const circles = places.map((place) => {
    const [x, y] = place.split(',');
    return `<circle class="dot c${colour}" cx="${x}" cy="${y}" r="4"/>`;
  });
  return `<g>${title}${circles.join('')}</g>`;
}

/** The next 1, 2 or 5 times a power of ten. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-12)) ?? 10;
  return step * power;
}

function ticks(top: number): number[] {
  const step = niceCeiling(top / ticksWanted);
  const count = Math.floor(top / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}
