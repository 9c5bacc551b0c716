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

interface Region {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * The text after the edit; undefined when the region's start is not in it. Applying it again changes
 * nothing. Line ends are kept as the file has them (the first line decides for new ones).
 */
export function editLines(text: string, edit: LineEdit): string | undefined {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const carriage = lines[0]?.endsWith('\r') ? '\r' : '';
  const bare = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const region = findRegion(bare, edit);
  if (region === undefined) return undefined;
  const edited = edit.absent
    ? remove(lines, bare, region, edit)
    : insert(lines, bare, region, edit, carriage);
  if (edited === lines) return text;
  const appended = edited.at(-1) !== lines.at(-1) || edited.length > lines.length;
  const end = edited.length > 0 && (text.endsWith('\n') || appended) ? '\n' : '';
  return edited.join('\n') + end;
}

function findRegion(bare: readonly string[], edit: LineEdit): Region | undefined {
  const { regionStart, regionEnd } = edit;
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
