/** Most rows of one page. */
export const pageLimit = 500;

export interface Page<Row> {
  readonly items: readonly Row[];
  /** Cursor of the following page; undefined on the last. */
  readonly next: string | undefined;
}

export function makeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts of a cursor that we made; anything else starts from the beginning. */
export function readCursor(cursor: string | undefined, parts: number): string[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const valid = Array.isArray(value) && value.length === parts;
    return valid && value.every((part) => typeof part === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
