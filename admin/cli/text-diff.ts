import { diff, styleText } from 'node:util';
import { printable } from './terminal-text.ts';

const contextLines = 3;
/** Lines of both texts together; beyond, comparing them line by line takes too long. */
const linesMax = 20_000;

type Line = readonly [mark: ' ' | '-' | '+', text: string];

/** Unified diff with three lines of context; '' when the texts are the same. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const [old, now] = [before.split('\n'), after.split('\n')];
  const head = `--- ${path}\n+++ ${path}`;
  if (old.length + now.length > linesMax) return `${head}\n@@ too large to compare by line @@`;
  return `${head}\n${hunks(lineChanges(old, now)).join('\n')}`;
}

/** Every line of both texts in order: kept, removed or added. */
export function lineChanges(old: readonly string[], now: readonly string[]): Line[] {
  // node's marks are of the way from the second list to the first.
  const marks = { '-1': '+', 0: ' ', 1: '-' } as const;
  return diff([...old], [...now]).map(([operation, text]) => [marks[operation], text]);
}

function hunks(lines: readonly Line[]): string[] {
  const shown = lines.map((_, at) =>
    lines
      .slice(Math.max(0, at - contextLines), at + contextLines + 1)
      .some(([mark]) => mark !== ' '),
  );
  const found: string[] = [];
  let [oldLine, newLine] = [1, 1];
  let open: { old: number; now: number; body: Line[] } | undefined;
  const close = () => {
    if (open) found.push(hunk(open));
    open = undefined;
  };
  for (const [at, line] of lines.entries()) {
    if (shown[at]) {
      open ??= { old: oldLine, now: newLine, body: [] };
      open.body.push(line);
    } else close();
    if (line[0] !== '+') oldLine += 1;
    if (line[0] !== '-') newLine += 1;
  }
  close();
  return found;
}

function hunk({ old, now, body }: { old: number; now: number; body: readonly Line[] }): string {
  const count = (other: '+' | '-') => body.filter(([mark]) => mark !== other).length;
  const head = `@@ -${old},${count('+')} +${now},${count('-')} @@`;
  return [head, ...body.map(([mark, text]) => `${mark}${text}`)].join('\n');
}

/** A diff for the terminal: coloured, and harmless whatever the files hold. */
export function colourDiff(text: string): string {
  return text.split('\n').map(printable).map(colourLine).join('\n');
}

function colourLine(line: string): string {
  if (line.startsWith('+++') || line.startsWith('---')) return styleText('bold', line);
  if (line.startsWith('@@')) return styleText('cyan', line);
  if (line.startsWith('+')) return styleText('green', line);
  return line.startsWith('-') ? styleText('red', line) : line;
}
