/** One live line on a terminal; nothing where nobody watches. Goes to stderr, beside the report. */
export class Progress {
  readonly #live: boolean;

  constructor(quiet: boolean) {
    this.#live = !quiet && process.stderr.isTTY === true;
  }

  /** A line that stays, also without a terminal. */
  say(text: string): void {
    this.clear();
    process.stderr.write(`${text}\n`);
  }

  show(text: string): void {
    if (this.#live) process.stderr.write(`\r\u001b[2K${text}`);
  }

  clear(): void {
    if (this.#live) process.stderr.write('\r\u001b[2K');
  }
}
