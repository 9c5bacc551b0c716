import { styleText } from 'node:util';
import { printable, shorten, textWidth } from './terminal-text.ts';

export interface Column<Row> {
  readonly title: string;
  /** As it is; the table makes it printable. */
  value(row: Row): string;
  /** What people see instead, such as the beginning of an id. */
  brief?(row: Row): string;
  /** Colours the finished cell. */
  style?(cell: string, row: Row): string;
  /** Gives way first when the terminal is narrow. */
  readonly flexible?: boolean;
  /** Is left out when the terminal is too narrow all the same; the last such column first. */
  readonly optional?: boolean;
  readonly align?: 'right';
}

const gap = '  ';
const flexibleWidthMin = 14;

/** Columns for people, no wider than `terminalWidth` when columns can give way. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminalWidth: number,
): string {
  const { head, line } = layOutTable(rows, columns, terminalWidth);
  return [head, ...rows.map(line)].join('\n');
}

export interface TableLayout<Row> {
  readonly head: string;
  line(row: Row): string;
}

/** Columns as wide as these rows need them; other rows may follow, and are cut to the same widths. */
export function layOutTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminalWidth: number,
): TableLayout<Row> {
  const cellsOf = (row: Row) =>
    columns.map((column) => printable(column.brief?.(row) ?? column.value(row)));
  const cells = rows.map(cellsOf);
  const wanted = columns.map((column, at) =>
    Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[at] ?? ''))),
  );
  const shown = chooseColumns(columns, wanted, terminalWidth);
  const widths = narrow(columns, wanted, shown, terminalWidth);
  const line = (values: readonly string[], style: (cell: string, at: number) => string) =>
    shown
      .map((at) => style(fit(values[at] ?? '', widths[at] ?? 0, columns[at]?.align), at))
      .join(gap)
      .trimEnd();
  const titles = columns.map((column) => column.title);
  return {
    head: line(titles, (cell) => styleText('bold', cell)),
    line: (row) => line(cellsOf(row), (cell, at) => columns[at]?.style?.(cell, row) ?? cell),
  };
}

/** Indices of the columns that fit when the flexible ones are at their narrowest. */
function chooseColumns<Row>(
  columns: readonly Column<Row>[],
  wanted: readonly number[],
  terminalWidth: number,
): number[] {
  const narrowest = (at: number) =>
    columns[at]?.flexible ? Math.min(flexibleWidthMin, wanted[at] ?? 0) : (wanted[at] ?? 0);
  let shown = columns.map((_, at) => at);
  while (sum(shown.map(narrowest)) + gap.length * (shown.length - 1) > terminalWidth) {
    const dropped = shown.findLast((at) => columns[at]?.optional);
    if (dropped === undefined) break;
    shown = shown.filter((at) => at !== dropped);
  }
  return shown;
}

/** The widths after the flexible columns gave way, the first one first. */
function narrow<Row>(
  columns: readonly Column<Row>[],
  wanted: readonly number[],
  shown: readonly number[],
  terminalWidth: number,
): number[] {
  const widths = [...wanted];
  const total = sum(shown.map((at) => wanted[at] ?? 0)) + gap.length * (shown.length - 1);
  let excess = total - terminalWidth;
  for (const at of shown) {
    const width = widths[at] ?? 0;
    if (!columns[at]?.flexible || excess <= 0 || width <= flexibleWidthMin) continue;
    const narrower = Math.max(flexibleWidthMin, width - excess);
    excess -= width - narrower;
    widths[at] = narrower;
  }
  return widths;
}

function fit(text: string, size: number, align: 'right' | undefined): string {
  const kept = shorten(text, size);
  const padding = ' '.repeat(Math.max(0, size - textWidth(kept)));
  return align === 'right' ? padding + kept : kept + padding;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

/** One row a line, every column in full, fields separated by tabs, for cut and awk. */
export function renderPlain<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return rows
    .map((row) => columns.map((column) => printable(column.value(row))).join('\t'))
    .join('\n');
}

/** "name<tab>value" lines; what is nested has names with dots, as in "process.rssKb". */
export function plainPairs(value: unknown, name = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${name}\t${printable(String(value))}`];
  return Object.entries(value).flatMap(([key, each]) =>
    plainPairs(each, printable(name === '' ? key : `${name}.${key}`)),
  );
}
