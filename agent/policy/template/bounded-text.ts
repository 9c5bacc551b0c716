/** Longest output, and longest text that a function may make, in UTF-16 units. */
export const renderOutputLimit = 4_194_304;

/** Thrown by BoundedText; the renderer makes a positioned error of it. */
export class TextLimit extends Error {}

/** Collects text up to the limit, so that no padding, joining or repeating can exhaust memory. */
export class BoundedText {
  readonly #chunks: string[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(text: string): void {
    this.#reserve(text.length);
    this.#chunks.push(text);
  }

  repeat(text: string, times: number): void {
    if (times <= 0 || text === '') return;
    this.#reserve(text.length * times);
    this.#chunks.push(text.repeat(times));
  }

  toString(): string {
    return this.#chunks.join('');
  }

  #reserve(length: number): void {
    this.#length += length;
    if (this.#length > renderOutputLimit) throw new TextLimit();
  }
}
