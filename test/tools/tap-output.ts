/** What one test file printed, as far as the summary needs it. */
export interface FileResult {
  readonly file: string;
  readonly ok: boolean;
  readonly timeMs: number;
  readonly passed: number;
  readonly failed: number;
  /** Each skipped test with its reason. */
  readonly skipped: readonly { readonly test: string; readonly reason: string }[];
  readonly output: readonly string[];
}

const testLine = /^(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO)(.*?))?(?: # time=.*)?(?: \{)?$/;
const planLine = /^1\.\.(\d+)(?: # SKIP ?(.*))?$/;

/**
 * Reads TAP 14 as tap prints it: a `t.test` of the file is a point that is not indented
 * (https://testanything.org/tap-version-14-specification.html).
 */
export class TapOutputReader {
  readonly #lines: string[] = [];
  readonly #skipped: { test: string; reason: string }[] = [];
  #passed = 0;
  #failed = 0;
  #planned: number | undefined;

  /** Takes one line without its end. */
  line(text: string): void {
    this.#lines.push(text);
    const plan = planLine.exec(text);
    if (plan) {
      this.#planned = Number(plan[1]);
      if (plan[2] !== undefined) this.#skipped.push({ test: 'all of it', reason: plan[2] });
    }
    const test = testLine.exec(text);
    if (!test) return;
    if (test[3] === 'SKIP') {
      this.#skipped.push({ test: test[2] ?? '', reason: (test[4] ?? '').trim() });
    } else if (test[1] !== undefined) this.#failed += 1;
    else this.#passed += 1;
  }

  /** `exit`: how the process ended, where it did not end with 0. A file that ends early has failed. */
  end(file: string, timeMs: number, exit: string | undefined): FileResult {
    const seen = this.#passed + this.#failed + this.#skipped.length;
    const short = this.#planned === undefined || (this.#planned > 0 && seen !== this.#planned);
    const why =
      exit ?? (short ? `${seen} tests of ${this.#planned ?? 'a plan that never came'}` : '');
    if (why !== '') this.#lines.push(`# ${file}: ${why}`);
    const ok = why === '' && this.#failed === 0;
    return {
      file,
      ok,
      timeMs,
      passed: this.#passed,
      failed: ok ? 0 : Math.max(1, this.#failed),
      skipped: this.#skipped,
      output: this.#lines,
    };
  }
}
