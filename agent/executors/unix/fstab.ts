import { joinLines, splitText } from '../cross/line-edit.ts';

/** One line of fstab(5). */
export interface FstabEntry {
  readonly device: string;
  /** Where it is mounted; "none" for swap. */
  readonly path: string;
  readonly type: string;
  readonly options: string;
  readonly dump: number;
  readonly pass: number;
}

/** Spaces, tabs and backslashes stand as octal numbers. */
function escapeOctal(text: string): string {
  return text.replace(/[\s\\]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** The inverse; also how /proc/self/mountinfo and /proc/swaps write names. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

export function readFstabLine(line: string): FstabEntry | undefined {
  const words = line.trim().split(/\s+/);
  if (words.length < 3 || words[0]!.startsWith('#')) return undefined;
  const [device, path, type, options = 'defaults', dump = '0', pass = '0'] = words;
  return {
    device: unescapeOctal(device!),
    path: trimmed(unescapeOctal(path!)),
    type: type!,
    options: unescapeOctal(options),
    dump: Number(dump),
    pass: Number(pass),
  };
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

function printLine(entry: FstabEntry): string {
  const words = [entry.device, entry.path, entry.type, entry.options].map(escapeOctal);
  return [...words, entry.dump, entry.pass].join('\t');
}

export function sameEntry(a: FstabEntry, b: FstabEntry): boolean {
  return printLine(a) === printLine(b);
}

/** The first entry that `matches`. */
export function findEntry(
  text: string,
  matches: (entry: FstabEntry) => boolean,
): FstabEntry | undefined {
  return splitText(text)
    .bare.map(readFstabLine)
    .find((entry) => entry !== undefined && matches(entry));
}

/**
 * The table with `wanted` in place of what matches (further matches go), at its end when nothing does,
 * or without what matches when nothing is wanted. Other lines stay byte for byte.
 */
export function editFstab(
  text: string,
  matches: (entry: FstabEntry) => boolean,
  wanted: FstabEntry | undefined,
): string {
  const old = splitText(text);
  const found = old.bare.flatMap((line, index) => {
    const entry = readFstabLine(line);
    return entry !== undefined && matches(entry) ? [{ index, entry }] : [];
  });
  const [first, ...others] = found;
  if (first === undefined && wanted === undefined) return text;
  if (first === undefined) return joinLines([...old.lines, printLine(wanted!)], text, old);
  const right = wanted !== undefined && sameEntry(first.entry, wanted);
  if (right && others.length === 0) return text;
  const gone = new Set((wanted === undefined ? found : others).map(({ index }) => index));
  const edited = old.lines
    .map((line, index) =>
      index === first.index && wanted !== undefined && !right ? printLine(wanted) : line,
    )
    .filter((_, index) => !gone.has(index));
  return joinLines(edited, text, old);
}
