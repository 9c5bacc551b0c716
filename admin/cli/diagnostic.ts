import { styleText } from 'node:util';
import type { Diagnostic } from '../../actors/publish/messages.ts';
import { printable, printableLines, textWidth } from './terminal-text.ts';

/** Diagnostics are messages for people and go to stderr; without a terminal they have no colour. */
const stream = { stream: process.stderr };
/** Other places that are shown; a circle can have many. */
const relatedLimit = 12;

/**
 * One line that stays as it is for programs, `file:line:column: error: reason [CODE]`; then the line
 * with a caret, the places that belong to it, and what to do.
 */
export function describeDiagnostic(diagnostic: Diagnostic, width: number): string {
  const { file, line, column, excerpt, suggestion, related = [] } = diagnostic;
  const failed = diagnostic.severity === 'error';
  const place = styleText('bold', `${printable(file)}:${line}:${column}`, stream);
  const word = failed
    ? styleText(['bold', 'red'], 'error', stream)
    : styleText(['bold', 'yellow'], 'warning', stream);
  const message = printableLines(diagnostic.message);
  const lines = [`${place}: ${word}: ${message} [${printable(diagnostic.code)}]`];
  const number = String(line);
  const margin = ' '.repeat(number.length + 1);
  if (excerpt !== undefined) {
    lines.push(...pointAt(excerpt, column, number, width, failed ? 'red' : 'yellow'));
  }
  for (const other of related.slice(0, relatedLimit)) {
    const where = `${printable(other.file)}:${other.line}:${other.column}`;
    lines.push(`${margin}= ${where}: ${printableLines(other.message)}`);
  }
  if (related.length > relatedLimit) {
    lines.push(`${margin}= and ${related.length - relatedLimit} more`);
  }
  if (suggestion) lines.push(`${margin}= ${styleText('cyan', advice(suggestion), stream)}`);
  return lines.join('\n');
}

/** A suggestion is a sentence, or the word that was meant. */
function advice(suggestion: string): string {
  const text = printableLines(suggestion);
  return /\s/.test(text) ? text : `did you mean ${text}?`;
}

/** The line and, below it, a caret; of a long line only the part around the caret. */
function pointAt(
  excerpt: string,
  column: number,
  number: string,
  width: number,
  colour: 'red' | 'yellow',
): string[] {
  const text = printable(excerpt).trimEnd();
  const room = width - number.length - '| '.length - 1 - '……'.length;
  const at = Math.max(0, column - 1);
  const start =
    text.length <= room ? 0 : Math.max(0, Math.min(at - (room >> 1), text.length - room));
  const before = start > 0 ? '…' : '';
  const after = start + room < text.length ? '…' : '';
  const shown = `${before}${text.slice(start, start + room)}${after}`;
  const indent = ' '.repeat(textWidth(before + text.slice(start, at).padEnd(at - start)));
  const gutter = (label: string) => styleText('blue', `${label} |`, stream);
  return [
    `${gutter(number)} ${shown}`,
    `${gutter(' '.repeat(number.length))} ${indent}${styleText(['bold', colour], '^', stream)}`,
  ];
}
