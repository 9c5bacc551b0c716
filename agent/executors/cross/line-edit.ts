/** What a line editor is to do; regular expressions are JavaScript's, matched within one line. */
export interface LineEdit {
  readonly absent: boolean;
  readonly line: string | undefined;
  readonly match: RegExp | undefined;
  readonly position: LinePosition;
  readonly regionStart: RegExp | undefined;
  readonly regionEnd: RegExp | undefined;
}

export type LinePosition =
  | { readonly at: 'end' }
  | { readonly at: 'begin' }
  | { readonly at: 'after'; readonly anchor: RegExp }
  | { readonly at: 'before'; readonly anchor: RegExp };

export interface Region {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** A text as its lines; line ends are kept as the file has them. */
export interface TextLines {
  /** As in the file, a carriage return included. */
  readonly lines: readonly string[];
  /** Without their carriage returns: what expressions see. */
  readonly bare: readonly string[];
  /** What a new line gets at its end before the line feed; the first line decides. */
  readonly carriage: string;
}

export function splitText(text: string): TextLines {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  return {
    lines,
    bare: lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)),
    carriage: lines[0]?.endsWith('\r') ? '\r' : '',
  };
}

/** A missing line feed at the end stays missing as long as the last line is the old one. */
export function joinLines(edited: readonly string[], text: string, old: TextLines): string {
  const appended = edited.at(-1) !== old.lines.at(-1) || edited.length > old.lines.length;
  const end = edited.length > 0 && (text.endsWith('\n') || appended) ? '\n' : '';
  return edited.join('\n') + end;
}

/**
 * The text after the edit; undefined when the region's start is not in it. Applying it again changes
 * nothing. Line ends are kept as the file has them (the first line decides for new ones).
 */
export function editLines(text: string, edit: LineEdit): string | undefined {
  const old = splitText(text);
  const { lines, bare, carriage } = old;
  const region = findRegion(bare, edit);
  if (region === undefined) return undefined;
  const edited = edit.absent
    ? remove(lines, bare, region, edit)
    : insert(lines, bare, region, edit, carriage);
  return edited === lines ? text : joinLines(edited, text, old);
}

/** The lines between the bounds; undefined when the opening one is not there. */
export function findRegion(
  bare: readonly string[],
  bounds: Pick<LineEdit, 'regionStart' | 'regionEnd'>,
): Region | undefined {
  const { regionStart, regionEnd } = bounds;
  const opening = regionStart === undefined ? -1 : bare.findIndex((line) => regionStart.test(line));
  if (regionStart !== undefined && opening === -1) return undefined;
  const start = opening + 1;
  const closing =
    regionEnd === undefined ? -1 : bare.slice(start).findIndex((line) => regionEnd.test(line));
  return { start, end: closing === -1 ? bare.length : start + closing };
}

function within(region: Region, index: number): boolean {
  return index >= region.start && index < region.end;
}

function remove(
  lines: readonly string[],
  bare: readonly string[],
  region: Region,
  edit: LineEdit,
): readonly string[] {
  const goes = (index: number) =>
    within(region, index) && (bare[index] === edit.line || edit.match?.test(bare[index]!) === true);
  return lines.some((_, index) => goes(index)) ? lines.filter((_, index) => !goes(index)) : lines;
}

function insert(
  lines: readonly string[],
  bare: readonly string[],
  region: Region,
  edit: LineEdit,
  carriage: string,
): readonly string[] {
  const line = edit.line!;
  const replaced = (index: number) =>
    within(region, index) && bare[index] !== line && edit.match?.test(bare[index]!) === true;
  if (lines.some((_, index) => replaced(index)))
    return lines.map((old, index) => (replaced(index) ? line + carriage : old));
  if (bare.some((old, index) => within(region, index) && old === line)) return lines;
  const place = insertionPlace(bare, region, edit.position);
  return [...lines.slice(0, place), line + carriage, ...lines.slice(place)];
}

/** After the last anchor, before the first; without an anchor at the end of the region. */
function insertionPlace(bare: readonly string[], region: Region, position: LinePosition): number {
  if (position.at === 'begin') return region.start;
  if (position.at === 'end') return region.end;
  const part = bare.slice(region.start, region.end);
  const isAnchor = (line: string) => position.anchor.test(line);
  if (position.at === 'after') {
    const index = part.findLastIndex(isAnchor);
    return index === -1 ? region.end : region.start + index + 1;
  }
  const index = part.findIndex(isAnchor);
  return index === -1 ? region.end : region.start + index;
}
