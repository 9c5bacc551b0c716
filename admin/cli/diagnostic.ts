import { styleText } from 'node:util';
import type { Diagnostic } from '../../actors/publish/messages.ts';
import { printable, printableLines } from './terminal-text.ts';

const indent = '    ';
/** Diagnostics are messages for people and go to stderr. */
const stream = { stream: process.stderr };

/** file:line:column, the reason, the line with a caret, what to do. */
export function describeDiagnostic(diagnostic: Diagnostic, width: number): string {
  const { file, line, column, excerpt, suggestion } = diagnostic;
  const place = styleText('bold', `${printable(file)}:${line}:${column}`, stream);
  const word =
    diagnostic.severity === 'error'
      ? styleText('red', 'error', stream)
      : styleText('yellow', 'warning', stream);
  const message = printableLines(diagnostic.message);
  const lines = [`${place}: ${word}: ${message} [${printable(diagnostic.code)}]`];
  if (excerpt !== undefined) lines.push(...pointAt(excerpt, column, width));
  if (suggestion) lines.push(indent + styleText('cyan', advice(suggestion), stream));
  return lines.join('\n');
}

/** A suggestion is a sentence, or the word that was meant. */
function advice(suggestion: string): string {
  const text = printableLines(suggestion);
  return /\s/.test(text) ? text : `did you mean ${text}?`;
}

/** The line and, below it, a caret; of a long line only the part around the caret. */
function pointAt(excerpt: string, column: number, width: number): string[] {
  const text = printable(excerpt).trimEnd();
  const room = width - indent.length - 2;
  const at = Math.max(0, column - 1);
  const start =
    text.length <= room ? 0 : Math.max(0, Math.min(at - (room >> 1), text.length - room));
  const before = start > 0 ? '…' : '';
  const after = start + room < text.length ? '…' : '';
  const shown = `${before}${text.slice(start, start + room)}${after}`;
  return [`${indent}${shown}`, `${indent}${' '.repeat(before.length + at - start)}^`];
}
