import type Database from 'better-sqlite3';
import { countSqlStatement } from './statement-counter.ts';

/** Compiled statements that a connection for reading keeps: more than the pages have texts. */
const statementsMax = 200;

/** The statements of a connection for reading, each compiled once: that costs more than most of them run. */
export class Statements {
  readonly #database: Database.Database;
  readonly #known = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  all<Row>(sql: string, values: readonly unknown[] = []): Row[] {
    countSqlStatement();
    return this.#statement(sql).all(...values) as Row[];
  }

  #statement(sql: string): Database.Statement {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const made = this.#database.prepare(sql);
    // A filter over traits is a text of its own: many of them must not keep the rest away.
    if (this.#known.size >= statementsMax) this.#known.clear();
    this.#known.set(sql, made);
    return made;
  }
}
