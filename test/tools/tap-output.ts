/** What one tap run printed, as far as the summary needs it. */
export interface TapSummary {
  passed: number;
  failed: number;
  /** Each skipped test with its reason. */
  skipped: { file: string; test: string; reason: string }[];
  files: { file: string; ok: boolean; timeMs: number; output: string[] }[];
}

const fileLine = /^(not )?ok \d+ - (.*?)(?: # time=([\d.]+)(ms|s|m))?(?: \{)?$/;
const testLine = /^ {4}(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO)(.*?))?(?: # time=.*)?(?: \{)?$/;

/**
 * Reads TAP 14 as tap's `tap` reporter prints it: a test file is a top-level point, a `t.test` in it
 * a point indented by four spaces (https://testanything.org/tap-version-14-specification.html).
 */
export class TapOutputReader {
  readonly summary: TapSummary = { passed: 0, failed: 0, skipped: [], files: [] };
  #lines: string[] = [];
  #pendingSkips: { test: string; reason: string }[] = [];

  /** Takes one line without its end; returns the file that it completes, if any. */
  line(text: string): TapSummary['files'][number] | undefined {
    this.#lines.push(text);
    const test = testLine.exec(text);
    if (test) this.#countTest(test);
    const file = fileLine.exec(text);
    if (!file) return undefined;
    const scale = file[4] === 's' ? 1000 : file[4] === 'm' ? 60_000 : 1;
    const entry = {
      file: file[2] ?? '?',
      ok: file[1] === undefined,
      timeMs: Number(file[3] ?? 0) * scale,
      output: this.#lines,
    };
    for (const skip of this.#pendingSkips) this.summary.skipped.push({ file: entry.file, ...skip });
    this.#pendingSkips = [];
    this.#lines = [];
    this.summary.files.push(entry);
    return entry;
  }

  #countTest(match: RegExpExecArray): void {
    if (match[3] === 'SKIP') {
      this.#pendingSkips.push({ test: match[2] ?? '', reason: (match[4] ?? '').trim() });
    } else if (match[1] !== undefined) this.summary.failed += 1;
    else this.summary.passed += 1;
  }
}
