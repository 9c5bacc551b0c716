import { joinLines, splitText } from './line-edit.ts';

/** One entry of a file that has an entry a line. Lines come and go without their line ends. */
export interface EntryEdit {
  readonly absent: boolean;
  isEntry(line: string): boolean;
  /** The entry as it should be; the same line when it says so already. */
  rewritten(line: string): string;
  /** The entry when there is none. */
  added(): string;
}

/**
 * The text with the entry once, where it stood first, or at the end, or with no such entry. Applying
 * it again changes nothing; line ends are kept as the file has them.
 */
export function editEntry(text: string, edit: EntryEdit): string {
  const old = splitText(text);
  const found = old.bare.flatMap((line, index) => (edit.isEntry(line) ? [index] : []));
  const [first, ...others] = found;
  if (first === undefined) {
    return edit.absent ? text : joinLines([...old.lines, edit.added() + old.carriage], text, old);
  }
  const gone = new Set(edit.absent ? found : others);
  const edited = old.lines
    .map((line, index) => {
      if (index !== first || edit.absent) return line;
      return edit.rewritten(old.bare[index] ?? '') + (line.endsWith('\r') ? '\r' : '');
    })
    .filter((_, index) => !gone.has(index));
  const changed = gone.size > 0 || edited.some((line, index) => line !== old.lines[index]);
  return changed ? joinLines(edited, text, old) : text;
}
