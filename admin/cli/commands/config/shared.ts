import { Option } from 'commander';
import type { Diagnostic, ValidationResult } from '../../../../actors/publish/messages.ts';
import { AdminError } from '../../../errors.ts';
import { describeDiagnostic } from '../../diagnostic.ts';
import { RemoteError } from '../../remote-error.ts';
import type { Session } from '../../session.ts';
import { type LocalFile, readStackDirectory } from '../../stack-directory.ts';
import { plural } from '../../words.ts';

/** Somewhat longer than the server's own deadline, so that its answer arrives. */
export const publishTimeoutMs = 150_000;
/** After this time a person wonders whether anything happens. */
const patienceMs = 2000;
/** Digits of a content hash that people compare. */
export const briefHashLength = 12;

/** Diagnostics are for people and go to stderr; with --json they are in the output. */
export function printDiagnostics(it: Session, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) it.note(`${describeDiagnostic(diagnostic, it.width)}\n`);
}

/** Runs the request; a refusal's diagnostics are shown before it goes on. */
export async function showingDiagnostics<T>(it: Session, run: () => Promise<T>): Promise<T> {
  const patience = setTimeout(() => tellPatience(it), patienceMs);
  try {
    return await run();
  } catch (error) {
    const details = error instanceof RemoteError ? error.problem.details : undefined;
    const diagnostics = (details as { diagnostics?: Diagnostic[] } | undefined)?.diagnostics;
    if (diagnostics) printDiagnostics(it, diagnostics);
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

/** For a person only: in a log it would be noise. */
function tellPatience(it: Session): void {
  if (process.stderr.isTTY) it.note('The server checks and compiles the stack…');
}

export function errorsIn(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter(({ severity }) => severity === 'error').length;
}

export function extent(result: Omit<ValidationResult, 'diagnostics'>): string {
  return [
    plural(result.modules, 'module'),
    plural(result.resources, 'resource'),
    plural(result.entries, 'node entry', 'node entries'),
  ].join(', ');
}

/** "--stack DIR": a checkout on this machine, sent along. */
export function stackOption(): Option {
  return new Option(
    '--stack <dir>',
    "a stack on this machine, sent along, instead of the server's",
  );
}

export function offlineOption(): Option {
  return new Option('--offline', 'do not ask whether the URLs of the stack answer');
}

export function stackFiles(stack: string | undefined): { files?: LocalFile[] } {
  return stack === undefined ? {} : { files: readStackDirectory(stack) };
}

/** "7", "live", "stack" or "candidate", as the server takes it. */
export function parseReference(text: string): string {
  if (/^(live|stack|candidate|\d{1,15})$/.test(text)) return text;
  throw new AdminError('CLI_USAGE', `"${text}" is no version, "live", "stack" or "candidate"`);
}

export function parseVersion(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new AdminError('CLI_USAGE', `"${text}" is no version number`);
}

/** "5%", "0.05" -> 0.05. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN;
  if (share >= 0 && share <= 1) return share;
  throw new AdminError('CLI_USAGE', `"${text}" is no share like 5% or 0.05`);
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}
