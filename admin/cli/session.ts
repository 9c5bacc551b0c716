import { Client } from './client.ts';
import { type Connection, type ConnectionOptions, connectionOf } from './connection.ts';
import {
  type Column,
  layOutTable,
  plainPairs,
  renderPlain,
  renderTable,
  type TableLayout,
} from './table.ts';
import { jsonText } from './terminal-text.ts';
import { terminalWidth } from './terminal-width.ts';

/** What the global options say. */
export interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly input?: boolean;
  readonly quiet?: boolean;
}

/** Where a command prints. */
export interface Output {
  /** Spaces of JSON; 0 puts it on one line. */
  readonly indent: number;
  write(text: string): void;
}

/** Takes rows of a list that is longer than a page. */
export interface RowWriter<Row> {
  write(rows: readonly Row[]): void;
  end(): void;
}

const standardOutput: Output = { indent: 2, write: (text) => void process.stdout.write(text) };

/** Opens the session of this call; what a session needs is loaded only then. */
export type OpenSession = () => Promise<Session>;

/** One call of vigocli: where to, and in which form to print. */
export class Session {
  readonly options: GlobalOptions;
  #connection: Connection | undefined;

  readonly #output: Output;

  constructor(options: GlobalOptions, output: Output = standardOutput) {
    this.options = options;
    this.#output = output;
  }

  get connection(): Connection {
    this.#connection ??= connectionOf(this.options, process.env);
    return this.#connection;
  }

  get client(): Client {
    return new Client(this.connection);
  }

  /** Columns of the terminal. */
  get width(): number {
    return terminalWidth();
  }

  /** Prints the value for programs (as JSON or as plain pairs), or what `words` says for people. */
  print(value: unknown, words: () => string): void {
    if (this.options.json) this.#write(jsonText(value, this.#output.indent));
    else if (this.options.plain) this.#write(plainPairs(value).join('\n'));
    else this.#write(words());
  }

  /** Prints a listing as JSON, as tab-separated lines or as a table; `empty` tells people what to do. */
  list<Row>(
    value: { readonly items: readonly Row[]; readonly next?: string | undefined },
    columns: readonly Column<Row>[],
    empty: string,
  ): void {
    const { items, next = null } = value;
    if (this.options.json) this.#write(jsonText({ items, next }, this.#output.indent));
    else if (!this.options.plain) this.#write(this.table(items, columns) || empty);
    else if (items.length > 0) this.#write(renderPlain(items, columns));
  }

  /** A table for people; the empty text when there are no rows. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
    return rows.length === 0 ? '' : renderTable(rows, columns, this.width);
  }

  /**
   * Prints rows as they come: as JSON, one object a line; as tab-separated lines; or as a table
   * whose columns are as wide as the first rows need them.
   */
  rows<Row>(columns: readonly Column<Row>[], empty: string): RowWriter<Row> {
    let layout: TableLayout<Row> | undefined;
    const line = (row: Row): string => {
      if (this.options.json) return jsonText(row, 0);
      return this.options.plain ? renderPlain([row], columns) : (layout?.line(row) ?? '');
    };
    const forPeople = this.options.json !== true && this.options.plain !== true;
    let any = false;
    return {
      write: (rows) => {
        if (rows.length === 0) return;
        if (!any && forPeople) {
          layout = layOutTable(rows, columns, this.width);
          this.#write(layout.head);
        }
        any = true;
        this.#write(rows.map(line).join('\n'));
      },
      end: () => {
        if (!any && forPeople) this.#write(empty);
      },
    };
  }

  /** Whether messages beside the output are wanted. */
  get mayNote(): boolean {
    return this.options.json !== true && this.options.quiet !== true;
  }

  /** A message for the person, not part of the output. */
  note(text: string): void {
    if (this.mayNote) process.stderr.write(`${text}\n`);
  }

  #write(text: string): void {
    this.#output.write(`${text}\n`);
  }
}
