import { closestName } from '../../../agent/policy/closest.ts';
import type { Diagnostic } from '../messages.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import type { SourcePlace } from './explain.ts';
import { LineIndex } from './positions.ts';

/** Errors, and likewise warnings, kept of one validation; the first ones are the ones to repair. */
export const diagnosticLimit = 1000;
/** Names that are compared for suggestions; thousands of slips in a large stack get none after that. */
const comparisonLimit = 100_000;
/** Characters of a line that a diagnostic shows, around its column. */
const excerptLimit = 400;

export type { DiagnosticCode };

/** A place in a file of the stack: UTF-16 offset, or a 1-based line and column. */
export interface Place {
  readonly file: string;
  readonly offset?: number;
  readonly line?: number;
  readonly column?: number;
}

export interface Finding {
  readonly code: DiagnosticCode;
  readonly severity?: 'warning';
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** Other places that the reader needs: the first of two, the steps of a cycle. */
  readonly related?: readonly { readonly place: Place; readonly message: string }[];
}

/** A finding and where it stands; lines and columns are worked out when they are shown. */
export interface Reported {
  readonly place: Place;
  readonly finding: Finding;
}

/** Collects findings of all files, so that one run names every mistake. */
export class Diagnostics {
  #found = new Map<string, Reported>();
  #counts = { error: 0, warning: 0 };
  #comparisons = comparisonLimit;
  readonly #files = new Map<string, LineIndex>();

  /** Makes the text of a file known, for lines, columns and excerpts. */
  addFile(file: string, text: string): void {
    this.#files.set(file, new LineIndex(text));
  }

  report(place: Place, finding: Finding): void {
    const { file, offset, line, column } = place;
    const key = [file, offset, line, column, finding.code, finding.message].join('\0');
    if (this.#found.has(key)) return;
    // Counted apart, so that no number of warnings can hide an error.
    const severity = finding.severity ?? 'error';
    if (this.#counts[severity] >= diagnosticLimit) return;
    this.#counts[severity] += 1;
    // A place may be a whole node; only where it stands is kept.
    this.#found.set(key, { place: bare(place), finding });
  }

  /** Reports that `name` is not one of `known`, with the closest one as the suggestion. */
  unknown(place: Place, code: DiagnosticCode, what: string, name: string, known: Iterable<string>) {
    if (this.#counts.error >= diagnosticLimit) return;
    const message = `unknown ${what} "${name}"`;
    this.report(place, { code, message, suggestion: this.suggest(name, known) });
  }

  /** The name that was probably meant, as long as the search is worth its time. */
  suggest(name: string, known: Iterable<string>): string | undefined {
    const compared: string[] = [];
    for (const candidate of known) {
      if (this.#comparisons === 0) return undefined;
      this.#comparisons -= 1;
      compared.push(candidate);
    }
    return closestName(name, compared);
  }

  has(code: DiagnosticCode): boolean {
    return this.all().some(({ finding }) => finding.code === code);
  }

  all(): readonly Reported[] {
    return [...this.#found.values()];
  }

  /** What was reported since the last call; for findings that are kept with what they are about. */
  take(): readonly Reported[] {
    if (this.#found.size === 0) return [];
    const taken = this.all();
    this.#found = new Map();
    this.#counts = { error: 0, warning: 0 };
    return taken;
  }

  include(reported: readonly Reported[]): void {
    for (const { place, finding } of reported) this.report(place, finding);
  }

  /** By file, line and column. */
  list(): Diagnostic[] {
    const listed = new Map<string, Diagnostic>();
    for (const reported of this.#found.values()) {
      const diagnostic = this.#diagnostic(reported);
      const { file, line, column, code, message } = diagnostic;
      listed.set([file, line, column, code, message].join('\0'), diagnostic);
    }
    return [...listed.values()].sort((a, b) =>
      a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
    );
  }

  sourcePlace(place: Place): SourcePlace {
    const { file } = place;
    if (place.line !== undefined) return { file, line: place.line, column: place.column ?? 1 };
    const position = this.#files.get(file)?.position(place.offset ?? 0);
    return { file, ...(position ?? { line: 1, column: 1 }) };
  }

  #diagnostic({ place, finding }: Reported): Diagnostic {
    const { file, line, column } = this.sourcePlace(place);
    const text = this.#files.get(file)?.line(line);
    const { suggestion, related } = finding;
    return {
      code: finding.code,
      severity: finding.severity ?? 'error',
      file,
      line,
      column,
      message: finding.message,
      ...(suggestion === undefined ? {} : { suggestion }),
      // A place beyond what is shown would put the caret under nothing.
      ...(text === undefined || column > excerptLimit
        ? {}
        : { excerpt: text.slice(0, excerptLimit) }),
      ...(related === undefined
        ? {}
        : {
            related: related.map((other) => ({
              ...this.sourcePlace(other.place),
              message: other.message,
            })),
          }),
    };
  }
}

function bare({ file, offset, line, column }: Place): Place {
  if (line === undefined) return { file, offset: offset ?? 0 };
  return { file, line, column: column ?? 1 };
}
