import { type Html, type HtmlValue, html, ownMarkup } from '../html.ts';
import { type EmptyState, emptyState } from './empty-state.ts';

export interface Column<Row> {
  readonly label: string;
  cell(row: Row): HtmlValue;
  readonly number?: boolean;
  /** Where a click on the label leads: the same list, sorted by this column. */
  readonly sortPath?: string;
  readonly sorted?: 'ascending' | 'descending' | undefined;
}

interface Table<Row> {
  /** Says what the rows are; screen readers read it first. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Of a row that keeps its place when the table is shown again. */
  rowId?(row: Row): string;
  /** The keys j and k walk through the rows: for the main list of a page. */
  readonly main?: boolean;
  /** What stands in its place when there is no row; absent: a table without rows. */
  readonly empty?: EmptyState;
}

/** A list of rows; on a phone each row becomes a card, whose cells say what they are. */
export function table<Row>({ caption, columns, rows, rowId, main, empty }: Table<Row>): Html {
  if (rows.length === 0 && empty !== undefined) return emptyState(empty);
  return html`<div class="table-scroll"${main && ownMarkup(' data-rows')}><table class="table cards">
    <caption class="visually-hidden">${caption}</caption>
    <thead><tr>${columns.map(heading)}</tr></thead>
    <tbody>${rows.map(
      (row) =>
        html`<tr${rowId && html` id="${rowId(row)}"`}>${columns.map(
          (column) =>
            html`<td${column.number && ownMarkup(' class="number"')} data-label="${column.label}">${column.cell(row)}</td>`,
        )}</tr>`,
    )}</tbody></table></div>`;
}

function heading<Row>({ label, number, sortPath, sorted }: Column<Row>): Html {
  const text = sortPath === undefined ? html`${label}` : html`<a href="${sortPath}">${label}</a>`;
  return html`<th scope="col"${number && ownMarkup(' class="number"')}${sorted && html` aria-sort="${sorted}"`}>${text}</th>`;
}
