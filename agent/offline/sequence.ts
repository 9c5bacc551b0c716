import { decodeChecked, encodeChecked } from './checked-file.ts';
import type { StateFiles } from './state-files.ts';

const fileName = 'sequence';
/** Numbers set aside per durable write; at most so many are skipped by a restart. */
const blockSize = 1000;

/**
 * The strictly rising sequence of signed requests. Blocks are set aside durably before their first
 * number is used, so that a request costs no write of its own and no number comes twice. Numbers
 * also never lie below the clock's milliseconds: a node that lost its state directory soon passes
 * what the server has seen.
 */
export class RequestSequence {
  readonly #files: StateFiles;
  readonly #nowMs: () => number;
  #last = 0;
  /** Numbers up to this one are set aside. */
  #reserved = 0;

  private constructor(files: StateFiles, nowMs: () => number) {
    this.#files = files;
    this.#nowMs = nowMs;
  }

  static async open(files: StateFiles, nowMs: () => number): Promise<RequestSequence> {
    const sequence = new RequestSequence(files, nowMs);
    const stored = await files.read(fileName);
    const content = stored === undefined ? undefined : decodeChecked(stored);
    const value = content === undefined ? 0 : Number(new TextDecoder().decode(content));
    sequence.#last = Number.isSafeInteger(value) ? value : 0;
    sequence.#reserved = sequence.#last;
    return sequence;
  }

  /**
   * A disk that cannot be written stops nobody: numbers then rise unreserved, and after a restart
   * the clock keeps them rising.
   */
  async next(): Promise<number> {
    if (this.#last >= this.#reserved) {
      const from = Math.max(this.#last, this.#nowMs());
      this.#last = from;
      this.#reserved = from + blockSize;
      await this.#store().catch(() => undefined);
    }
    this.#last += 1;
    return this.#last;
  }

  async #store(): Promise<void> {
    const text = String(this.#reserved);
    await this.#files.replace(fileName, encodeChecked(new TextEncoder().encode(text)));
  }
}
