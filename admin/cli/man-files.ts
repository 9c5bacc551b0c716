import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdminError } from '../errors.ts';

/** Writes the pages; returns where. Throws CLI_FILE_UNWRITABLE. */
export function writePages(directory: string, pages: ReadonlyMap<string, string>): string[] {
  try {
    mkdirSync(directory, { recursive: true });
    return [...pages].map(([name, text]) => {
      const path = join(directory, name);
      writeFileSync(path, text);
      return path;
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNWRITABLE', reason);
  }
}
