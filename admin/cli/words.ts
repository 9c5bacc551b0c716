import { styleText } from 'node:util';
import { AdminError } from '../errors.ts';
import { printable } from './terminal-text.ts';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "24h", "90s", "7d" -> milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (!match) {
    throw new AdminError('CLI_USAGE', `"${text}" is not a duration like 30s, 15m, 24h or 7d`);
  }
  return Math.round(Number(match[1]) * units[match[2] as keyof typeof units]);
}

/** "3 s", "12 min", "5 h", "2 d": the largest fitting unit. */
export function durationWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 2 * 86_400_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** Of the size of something. */
const sizeUnit = 1024;

/** "3.4 MB" */
export function sizeWords(bytes: number): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let at = 0;
  for (; size >= sizeUnit && at < names.length - 1; at++) size /= sizeUnit;
  return `${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${names[at]}`;
}

/** Characters of an id that tell one from another in a table. */
export const briefIdLength = 8;

export function ago(atMs: number | undefined, nowMs: number): string {
  if (atMs === undefined || atMs === 0) return 'never';
  const passed = nowMs - atMs;
  if (passed >= 0 && passed < 1000) return 'just now';
  return passed < 0 ? `in ${durationWords(-passed)}` : `${durationWords(passed)} ago`;
}

export function clockTime(atMs: number): string {
  return new Date(atMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

const stateColours = {
  converged: 'green',
  // Of a run; the others are states of envoys too.
  changed: 'yellow',
  relapsed: 'yellow',
  diverged: 'red',
  degraded: 'magenta',
  failed: 'red',
  offline: 'gray',
  revoked: 'gray',
  'no data': 'gray',
} as const;

/** The state, or the text that stands for it, in the colour of the state. */
export function stateWord(state: string, text = printable(state)): string {
  const colour = stateColours[state as keyof typeof stateColours];
  return colour ? styleText(colour, text) : text;
}

/** "Name:   value" lines. */
export function fieldLines(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}`).join('\n');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
