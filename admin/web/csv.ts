/** What begins so is a formula to a spreadsheet, which would compute it: a name of a machine must not. */
const formula = /^[=+\-@\t\r]/;
const quoted = /[",\r\n]/;

/** One row (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvRow(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return quoted.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
