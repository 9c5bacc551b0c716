import { styleText } from 'node:util';
import { CommanderError } from 'commander';
import { AdminError } from '../errors.ts';
import { LocalRefusal } from './local-refusal.ts';
import { RemoteError } from './remote-error.ts';
import { jsonText, printable, printableLines } from './terminal-text.ts';

interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly details?: unknown;
  readonly traceId?: string;
  readonly exitCode: number;
}

/** Tells the person, or the program as JSON, what went wrong; returns the exit code. */
export function complain(error: unknown, json: boolean): number {
  const complaint = complaintOf(error);
  if (complaint === undefined) return 0;
  const { exitCode, traceId, ...words } = complaint;
  if (json) {
    process.stderr.write(`${jsonText({ ...words, ...(traceId ? { traceId } : {}) })}\n`);
    return exitCode;
  }
  const stream = { stream: process.stderr };
  const code = styleText('red', printable(words.code), stream);
  const trace = traceId ? styleText('gray', ` (trace ${printable(traceId)})`, stream) : '';
  process.stderr.write(`${code}: ${printableLines(words.message)}${trace}\n`);
  if (words.remedy) process.stderr.write(`${printableLines(words.remedy)}\n`);
  return exitCode;
}

/** Undefined when there is nothing to complain about: help or the version was asked for. */
function complaintOf(error: unknown): Complaint | undefined {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    const nothingNamed = error.code === 'commander.help';
    const message = nothingNamed ? 'name a command' : error.message.replace(/^error: /, '');
    return fromAdmin(new AdminError('CLI_USAGE', message));
  }
  if (error instanceof RemoteError) {
    const { code, detail, remedy, details, traceId } = error.problem;
    return { code, message: detail, remedy, details, traceId, exitCode: error.exitCode };
  }
  if (error instanceof AdminError || error instanceof LocalRefusal) return fromAdmin(error);
  const message = error instanceof Error ? error.message : String(error);
  return fromAdmin(new AdminError('CLI_FAILED', message));
}

function fromAdmin(error: AdminError | LocalRefusal): Complaint {
  const { code, message, remedy, exitCode } = error;
  const details = error instanceof AdminError ? error.details : undefined;
  return { code, message, remedy, details, exitCode };
}
