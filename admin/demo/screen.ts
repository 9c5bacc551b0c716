import { existsSync, readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { printable } from '../cli/terminal-text.ts';

const tailLines = 10;

/** The demo's voice: steps that tick off, then one line for each thing that happens. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #live: boolean;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#live = out.isTTY === true;
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  /** The end of a log, when there is one. */
  tail(path: string): void {
    if (!existsSync(path)) return;
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-tailLines);
    this.line(`\nThe end of ${path}:`);
    for (const text of lines) this.line(`  ${printable(text)}`);
  }

  /** Shows what is being done, then what came of it. */
  async step<T>(doing: string, work: () => Promise<T>, done: (result: T) => string): Promise<T> {
    if (this.#live) this.#out.write(`  ${styleText('cyan', '…')} ${doing}`);
    try {
      const result = await work();
      this.#finish(styleText('green', '✓'), done(result));
      return result;
    } catch (error) {
      this.#finish(styleText('red', '✗'), doing);
      throw error;
    }
  }

  #finish(mark: string, text: string): void {
    this.#out.write(`${this.#live ? '\r\u001b[2K' : ''}  ${mark} ${text}\n`);
  }
}
