import type { ReportView, Table } from './view.ts';

export function viewMarkdown(view: ReportView): string {
  const sections = view.sections.flatMap(({ title, facts, table, notes }) => [
    ...(title === '' ? [] : [`## ${title}`]),
    ...(facts === undefined
      ? []
      : [
          tableMarkdown({
            columns: ['Figure', 'Value'],
            rows: facts.map(({ name, value }) => [name, value]),
          }),
        ]),
    ...(table === undefined ? [] : [tableMarkdown(table)]),
    ...(notes ?? []),
  ]);
  const warnings = view.warnings.map((warning) => `> Warning: ${warning}`);
  const parts = [`# ${view.title}`, `**${view.verdict.text}**`, ...warnings, ...sections];
  return `${parts.join('\n\n')}\n`;
}

export function tableMarkdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  const rule = `|---${columns
    .slice(1)
    .map(() => '|--:')
    .join('')}|`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
