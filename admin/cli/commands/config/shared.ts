import type { Diagnostic, ValidationResult } from '../../../../actors/publish/messages.ts';
import { describeDiagnostic } from '../../diagnostic.ts';
import { RemoteError } from '../../remote-error.ts';
import type { Session } from '../../session.ts';
import { plural } from '../../words.ts';

/** Somewhat longer than the server's own deadline, so that its answer arrives. */
export const publishTimeoutMs = 150_000;

/** Diagnostics are for people and go to stderr; with --json they are in the output. */
export function printDiagnostics(it: Session, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) it.note(`${describeDiagnostic(diagnostic, it.width)}\n`);
}

/** Runs the request; a refusal's diagnostics are shown before it goes on. */
export async function showingDiagnostics<T>(it: Session, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const details = error instanceof RemoteError ? error.problem.details : undefined;
    const diagnostics = (details as { diagnostics?: Diagnostic[] } | undefined)?.diagnostics;
    if (diagnostics) printDiagnostics(it, diagnostics);
    throw error;
  }
}

export function extent(result: ValidationResult): string {
  return [
    plural(result.modules, 'module'),
    plural(result.resources, 'resource'),
    plural(result.entries, 'node entry', 'node entries'),
  ].join(', ');
}
