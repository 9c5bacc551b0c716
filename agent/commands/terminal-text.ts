import { oneLine } from '../converge/failure.ts';
import type { ProgramIo } from '../platform/program.ts';

const colourCodes = { red: 31, green: 32, yellow: 33, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof colourCodes;

/** Text for a person: cut to the width of the terminal and coloured there, whole and plain elsewhere. */
export class TerminalText {
  readonly #lines: string[] = [];
  readonly #columns: number;
  readonly #colour: boolean;

  constructor(io: Pick<ProgramIo, 'terminal' | 'columns' | 'colour'>) {
    this.#columns = io.terminal ? Math.max(io.columns ?? 80, 20) : Number.POSITIVE_INFINITY;
    this.#colour = io.terminal && io.colour === true;
  }

  /** One line; what others wrote in it cannot command the terminal. */
  line(text = '', colour?: Colour): void {
    const indent = /^ */.exec(text)![0];
    const clean = indent + oneLine(text);
    this.#lines.push(this.#paint(this.#cut(text === '' ? '' : clean), colour));
  }

  /** A heading of `width` columns and what belongs to it; the head alone is coloured. */
  pair(head: string, text: string, width: number, colour?: Colour): void {
    const whole = this.#cut(`${oneLine(head).padEnd(width)}${oneLine(text)}`);
    this.#lines.push(this.#paint(whole.slice(0, width), colour) + whole.slice(width));
  }

  /** As it stands, with a margin: a diff. */
  block(text: string, margin: string): void {
    for (const line of text.trimEnd().split('\n')) {
      const colour = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : undefined;
      this.#lines.push(this.#paint(this.#cut(margin + printable(line)), colour));
    }
  }

  toString(): string {
    return `${this.#lines.map((line) => line.trimEnd()).join('\n')}\n`;
  }

  #cut(text: string): string {
    return text.length <= this.#columns ? text : `${text.slice(0, this.#columns - 1)}…`;
  }

  #paint(text: string, colour: Colour | undefined): string {
    if (!this.#colour || colour === undefined) return text;
    return `\u001b[${colourCodes[colour]}m${text}\u001b[0m`;
  }
}

/** Indentation stays; what commands a terminal becomes visible. */
function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return line.replaceAll('\t', '    ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** "3 h", "12 s"; of two units only the larger one. */
export function duration(milliseconds: number): string {
  const [unit, size] = units.find(([, one]) => milliseconds >= one) ?? ['ms', 1];
  return `${Math.floor(milliseconds / size)} ${unit}`;
}

/** "12 s ago", "in 3 h". */
export function relative(atMs: number, nowMs: number): string {
  const ageMs = nowMs - atMs;
  return ageMs < 0 ? `in ${duration(-ageMs)}` : `${duration(ageMs)} ago`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MiB`;
}
