import { styleText } from 'node:util';
import type { Fact, ReportView, Table } from './view.ts';

const nameWidth = 18;

/** For a terminal; colours only there. Charts are left out. */
export function viewText(view: ReportView): string {
  const parts = view.sections.map(({ title, facts, table, notes }) =>
    [
      ...(title === '' ? [] : [title]),
      ...(facts ?? []).map(factText),
      ...(table === undefined ? [] : [tableText(table)]),
      ...(notes ?? []),
    ].join('\n'),
  );
  const { good, text } = view.verdict;
  return [coloured(text, good), ...parts].filter((part) => part !== '').join('\n\n');
}

function factText({ name, value, good }: Fact): string {
  return `${name.padEnd(nameWidth)}${coloured(value, good)}`;
}

function coloured(text: string, good: boolean | undefined): string {
  return good === undefined ? text : styleText(good ? 'green' : 'red', text);
}

function tableText({ columns, rows }: Table): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
}
