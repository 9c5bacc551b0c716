import { closestName } from '../../../agent/policy/closest.ts';
import type { Diagnostic } from '../messages.ts';

/** Errors, and likewise warnings, kept of one validation; the first ones are the ones to repair. */
export const diagnosticLimit = 1000;
const excerptLimit = 200;

export type DiagnosticCode =
  | 'PUBLISH_UNREADABLE'
  | 'PUBLISH_LIMIT'
  | 'PUBLISH_YAML_SYNTAX'
  | 'PUBLISH_DUPLICATE_KEY'
  | 'PUBLISH_DUPLICATE_NAME'
  | 'PUBLISH_WRONG_SHAPE'
  | 'PUBLISH_UNKNOWN_KEY'
  | 'PUBLISH_MISSING_KEY'
  | 'PUBLISH_UNKNOWN_TYPE'
  | 'PUBLISH_UNKNOWN_PARAMETER'
  | 'PUBLISH_MISSING_PARAMETER'
  | 'PUBLISH_EXCLUSIVE_PARAMETERS'
  | 'PUBLISH_BAD_VALUE'
  | 'PUBLISH_UNKNOWN_REFERENCE'
  | 'PUBLISH_CYCLE'
  | 'PUBLISH_NO_TRIGGER'
  | 'PUBLISH_NO_GUARD'
  | 'PUBLISH_CONDITION'
  | 'PUBLISH_TEMPLATE'
  | 'PUBLISH_MISSING_VARIABLE'
  | 'PUBLISH_GUARDRAIL'
  | 'PUBLISH_UNREACHABLE_ENTRY';

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
}

/** Collects findings of all files, so that one run names every mistake. */
export class Diagnostics {
  readonly #found = new Map<string, Diagnostic>();
  readonly #lines = new Map<string, string[]>();
  readonly #counts = { error: 0, warning: 0 };

  /** Makes the text of a file known, for lines, columns and excerpts. */
  addFile(file: string, text: string): void {
    this.#lines.set(file, text.split('\n'));
  }

  report(place: Place, finding: Finding): void {
    const { line, column } = this.#lineAndColumn(place);
    const excerpt = this.#lines.get(place.file)?.[line - 1]?.replace(/\r$/, '');
    const { suggestion } = finding;
    const diagnostic: Diagnostic = {
      code: finding.code,
      severity: finding.severity ?? 'error',
      file: place.file,
      line,
      column,
      message: finding.message,
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(excerpt === undefined ? {} : { excerpt: excerpt.slice(0, excerptLimit) }),
    };
    const key = [diagnostic.file, line, column, diagnostic.code, diagnostic.message].join('\0');
    if (this.#found.has(key)) return;
    // Counted apart, so that no number of warnings can hide an error.
    const count = this.#counts[diagnostic.severity];
    if (count >= diagnosticLimit) return;
    this.#counts[diagnostic.severity] = count + 1;
    this.#found.set(key, diagnostic);
  }

  /** Reports that `name` is not one of `known`, with the closest one as the suggestion. */
  unknown(place: Place, code: DiagnosticCode, what: string, name: string, known: Iterable<string>) {
    this.report(place, {
      code,
      message: `unknown ${what} "${name}"`,
      suggestion: closestName(name, known),
    });
  }

  /** By file, line and column. */
  list(): Diagnostic[] {
    return [...this.#found.values()].sort((a, b) =>
      a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
    );
  }

  #lineAndColumn(place: Place): { line: number; column: number } {
    if (place.line !== undefined) return { line: place.line, column: place.column ?? 1 };
    let rest = place.offset ?? 0;
    for (const [index, text] of (this.#lines.get(place.file) ?? []).entries()) {
      if (rest <= text.length) return { line: index + 1, column: rest + 1 };
      rest -= text.length + 1;
    }
    return { line: 1, column: 1 };
  }
}
