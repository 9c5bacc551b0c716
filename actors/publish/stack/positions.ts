/** Offsets of one text as lines and columns, found by bisection. */
export class LineIndex {
  readonly #text: string;
  #starts: number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** 1-based line and column of a UTF-16 offset. */
  position(offset: number): { line: number; column: number } {
    const starts = this.#lineStarts();
    const bounded = Math.max(0, Math.min(offset, this.#text.length));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= bounded) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: bounded - starts[low]! + 1 };
  }

  /** The text of a 1-based line without its end. */
  line(line: number): string | undefined {
    const starts = this.#lineStarts();
    const start = starts[line - 1];
    if (start === undefined) return undefined;
    const end = line < starts.length ? starts[line]! - 1 : this.#text.length;
    return this.#text.slice(start, end).replace(/\r$/, '');
  }

  #lineStarts(): readonly number[] {
    if (this.#starts !== undefined) return this.#starts;
    const starts = [0];
    for (let at = this.#text.indexOf('\n'); at !== -1; at = this.#text.indexOf('\n', at + 1)) {
      starts.push(at + 1);
    }
    this.#starts = starts;
    return starts;
  }
}
