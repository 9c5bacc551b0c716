import { stripVTControlCharacters, styleText } from 'node:util';

export interface Column<Row> {
  readonly title: string;
  value(row: Row): string;
  /** Gives way first when the terminal is narrow. */
  readonly flexible?: boolean;
  readonly align?: 'right';
}

const gap = '  ';
const flexibleWidthMin = 8;

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

function fit(text: string, size: number, align: 'right' | undefined): string {
  const missing = size - width(text);
  if (missing < 0) return `${stripVTControlCharacters(text).slice(0, Math.max(0, size - 1))}…`;
  return align === 'right' ? ' '.repeat(missing) + text : text + ' '.repeat(missing);
}

/** Text from machines must not move the cursor or colour the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** Columns for people, no wider than `terminalWidth` when a flexible column can give way. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminalWidth: number,
): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, at) =>
    Math.max(width(column.title), ...cells.map((line) => width(line[at] ?? ''))),
  );
  const total = widths.reduce((sum, each) => sum + each, gap.length * (columns.length - 1));
  let excess = total - terminalWidth;
  columns.forEach((column, at) => {
    if (!column.flexible || excess <= 0) return;
    const narrower = Math.max(flexibleWidthMin, (widths[at] ?? 0) - excess);
    excess -= (widths[at] ?? 0) - narrower;
    widths[at] = narrower;
  });
  const line = (values: readonly string[], style: (text: string) => string) =>
    values
      .map((value, at) => style(fit(value, widths[at] ?? 0, columns[at]?.align)))
      .join(gap)
      .trimEnd();
  const titles = columns.map((column) => column.title);
  return [
    line(titles, (text) => styleText('bold', text)),
    ...cells.map((values) => line(values, (text) => text)),
  ].join('\n');
}

/** One row a line, fields separated by tabs, for cut and awk. */
export function renderPlain<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return rows
    .map((row) =>
      columns.map((column) => printable(stripVTControlCharacters(column.value(row)))).join('\t'),
    )
    .join('\n');
}
