import { diffLimit } from '../protocol/limits.ts';

const contextLines = 3;
/** Cells of the table that finds the longest common subsequence; above it, one block is shown. */
const tableLimit = 1_000_000;
const cutMark = '\n... (cut)';

/** Cut to the limit of a report at a line. */
export function boundedDiff(diff: string): string {
  const bytes = new TextEncoder().encode(diff);
  if (bytes.length <= diffLimit) return diff;
  const room = bytes.subarray(0, diffLimit - cutMark.length);
  const kept = new TextDecoder().decode(room).replace(/\uFFFD+$/, '');
  const line = kept.lastIndexOf('\n');
  return (line > 0 ? kept.slice(0, line) : kept) + cutMark;
}

/** Undefined when the bytes are no UTF-8 text or hold NUL: then they are not shown. */
export function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A unified diff of two contents; says so when one of them is binary. */
export function contentDiff(path: string, old: Uint8Array, wanted: Uint8Array): string {
  const [before, after] = [asText(old), asText(wanted)];
  if (before === undefined || after === undefined)
    return `binary content, ${old.length} -> ${wanted.length} bytes`;
  return unifiedDiff(path, before, after);
}

interface Step {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** As diff -u prints it; "" when the texts are equal. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return '';
  const steps = compareLines(lines(before), lines(after));
  return [`--- ${path}`, `+++ ${path}`, ...hunks(steps)].join('\n');
}

/** A last line without its line feed is another line than one with it, and marked as diff marks it. */
function lines(text: string): string[] {
  if (text === '') return [];
  const parts = text.split('\n');
  const last = parts.pop()!;
  return last === '' ? parts : [...parts, `${last}\n\\ No newline at end of file`];
}

function compareLines(before: readonly string[], after: readonly string[]): Step[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const room = Math.min(before.length, after.length) - head;
  while (tail < room && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (text: string): Step => ({ sign: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...compareMiddle(
      before.slice(head, before.length - tail),
      after.slice(head, after.length - tail),
    ),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** Longest common subsequence by dynamic programming, for the part between equal ends. */
function compareMiddle(before: readonly string[], after: readonly string[]): Step[] {
  const [rows, columns] = [before.length + 1, after.length + 1];
  const removed = (text: string): Step => ({ sign: '-', text });
  const added = (text: string): Step => ({ sign: '+', text });
  if (rows * columns > tableLimit) return [...before.map(removed), ...after.map(added)];
  const length = new Uint32Array(rows * columns);
  for (let i = rows - 2; i >= 0; i -= 1)
    for (let j = columns - 2; j >= 0; j -= 1)
      length[i * columns + j] =
        before[i] === after[j]
          ? length[(i + 1) * columns + j + 1]! + 1
          : Math.max(length[(i + 1) * columns + j]!, length[i * columns + j + 1]!);
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      steps.push({ sign: ' ', text: before[i]! });
      i += 1;
      j += 1;
    } else if (
      j >= after.length ||
      (i < before.length && length[(i + 1) * columns + j]! >= length[i * columns + j + 1]!)
    ) {
      steps.push(removed(before[i++]!));
    } else {
      steps.push(added(after[j++]!));
    }
  }
  return steps;
}

function hunks(steps: readonly Step[]): string[] {
  const out: string[] = [];
  let [oldLine, newLine, at] = [1, 1, 0];
  const advance = (to: number) => {
    for (; at < to; at += 1) {
      if (steps[at]!.sign !== '+') oldLine += 1;
      if (steps[at]!.sign !== '-') newLine += 1;
    }
  };
  for (const [start, end] of ranges(steps)) {
    advance(start);
    const part = steps.slice(start, end);
    const count = (other: string) => part.filter((step) => step.sign !== other).length;
    out.push(`@@ -${place(oldLine, count('+'))} +${place(newLine, count('-'))} @@`);
    out.push(...part.map((step) => step.sign + step.text));
    advance(end);
  }
  return out;
}

/** An empty side names the line before it, as diff does. */
function place(line: number, count: number): string {
  if (count === 1) return String(line);
  return `${count === 0 ? line - 1 : line},${count}`;
}

/** Changed stretches with their context, joined where they touch. */
function ranges(steps: readonly Step[]): [number, number][] {
  const found: [number, number][] = [];
  steps.forEach((step, index) => {
    if (step.sign === ' ') return;
    const start = Math.max(0, index - contextLines);
    const end = Math.min(steps.length, index + 1 + contextLines);
    const last = found.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else found.push([start, end]);
  });
  return found;
}
