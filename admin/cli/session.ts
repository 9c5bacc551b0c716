import { Client } from './client.ts';
import { type Connection, type ConnectionOptions, connectionOf } from './connection.ts';
import { type Column, renderPlain, renderTable } from './table.ts';

/** What the global options say. */
export interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly input?: boolean;
}

const defaultTerminalWidth = 100;

/** One call of vigocli: where to, and in which form to print. */
export class Session {
  readonly options: GlobalOptions;
  #connection: Connection | undefined;

  constructor(options: GlobalOptions) {
    this.options = options;
  }

  get connection(): Connection {
    this.#connection ??= connectionOf(this.options, process.env);
    return this.#connection;
  }

  get client(): Client {
    return new Client(this.connection);
  }

  /** Prints the value for programs, or what `words` says for people. */
  print(value: unknown, words: () => string): void {
    process.stdout.write(`${this.options.json ? JSON.stringify(value, null, 2) : words()}\n`);
  }

  /** Prints a listing as JSON, as tab-separated lines or as a table; `empty` tells people what to do. */
  list<Row>(
    value: { readonly items: readonly Row[] },
    columns: readonly Column<Row>[],
    empty: string,
  ): void {
    if (this.options.json) {
      this.print(value, () => '');
    } else if (this.options.plain) {
      if (value.items.length > 0) process.stdout.write(`${renderPlain(value.items, columns)}\n`);
    } else {
      const width = process.stdout.columns ?? defaultTerminalWidth;
      const text = value.items.length === 0 ? empty : renderTable(value.items, columns, width);
      process.stdout.write(`${text}\n`);
    }
  }

  /** A message for the person, not part of the output. */
  note(text: string): void {
    if (!this.options.json) process.stderr.write(`${text}\n`);
  }
}
