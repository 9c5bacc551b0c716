interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** One live line on a terminal, nothing elsewhere. Goes to stderr: stdout carries the report. */
export class Progress {
  readonly #screen: Screen;

  constructor(screen: Screen = process.stderr) {
    this.#screen = screen;
  }

  /** A line that stays, also without a terminal. */
  say(text: string): void {
    this.clear();
    this.#screen.write(`${text}\n`);
  }

  show(text: string): void {
    if (this.#screen.isTTY) this.#screen.write(`\r\u001b[2K${text}`);
  }

  clear(): void {
    if (this.#screen.isTTY) this.#screen.write('\r\u001b[2K');
  }
}
