import { type Html, html } from '../html.ts';

const spans: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** "3 min ago"; the script keeps it true while the page stands. The moment itself is its title. */
export function timeAgo(atMs: number | undefined | null, nowMs: number): Html {
  if (atMs === undefined || atMs === null) return html`<span class="muted">never</span>`;
  return html`<time datetime="${isoOf(atMs)}" data-at="${atMs}" data-form="ago">${ago(nowMs - atMs)}</time>`;
}

/** Date and time in UTC, to the second. */
export function timeAt(atMs: number | undefined | null): Html {
  if (atMs === undefined || atMs === null) return html`<span class="muted">never</span>`;
  const iso = isoOf(atMs);
  return html`<time datetime="${iso}" data-at="${atMs}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
}

/** "340 ms", "4.2 s", "12 min", "3 d". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return largest(ms);
}

function ago(ms: number): string {
  return ms < 1_000 ? 'now' : `${largest(ms)} ago`;
}

function largest(ms: number): string {
  const [size, unit] = spans.find(([least]) => ms >= least) ?? [1_000, 's'];
  return `${Math.floor(ms / size)} ${unit}`;
}

/** A time that no calendar has, such as one that came from a broken clock, is the epoch. */
function isoOf(atMs: number): string {
  const date = new Date(atMs);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
