import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AdminError } from '../errors.ts';

/** A file of a stack; the path is relative to it, with slashes. */
export interface LocalFile {
  readonly path: string;
  readonly text: string;
}

/** Files of one stack; the server takes no more. */
const filesMax = 10_000;
const depthMax = 12;
/** Characters of all files together; as JSON the server takes 16 MB. */
const charactersMax = 15 * 1024 * 1024;

/**
 * Reads a stack of this machine as the server would read its own: `.vgo` files and what is below
 * `templates/`; names that begin with a dot or end with a tilde are left out.
 */
export function readStackDirectory(directory: string): LocalFile[] {
  const reader = new Reader(directory);
  reader.walk('', 0);
  if (!reader.files.some(({ path }) => path.endsWith('.vgo'))) {
    throw new AdminError('CLI_NO_STACK', `${directory} has no .vgo file`);
  }
  return reader.files;
}

class Reader {
  readonly files: LocalFile[] = [];
  readonly #root: string;
  #characters = 0;

  constructor(root: string) {
    this.#root = root;
  }

  walk(path: string, depth: number): void {
    if (depth > depthMax) {
      throw new AdminError('CLI_NO_STACK', `${path} is more than ${depthMax} directories deep`);
    }
    for (const name of reading(path, () => readdirSync(join(this.#root, path))).sort()) {
      if (name.startsWith('.') || name.endsWith('~')) continue;
      const below = path === '' ? name : `${path}/${name}`;
      const entry = reading(below, () => statSync(join(this.#root, below)));
      if (entry.isDirectory()) this.walk(below, depth + 1);
      else if (entry.isFile() && isStackFile(below)) this.#add(below);
    }
  }

  #add(path: string): void {
    const bytes = reading(path, () => readFileSync(join(this.#root, path)));
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new AdminError('CLI_NO_STACK', `${path} is not UTF-8 text`);
    }
    this.#characters += text.length;
    if (this.files.length >= filesMax || this.#characters > charactersMax) {
      const limits = `${filesMax} files or ${charactersMax} characters`;
      throw new AdminError('CLI_NO_STACK', `it has more than ${limits}`);
    }
    this.files.push({ path, text });
  }
}

function isStackFile(path: string): boolean {
  return path.endsWith('.vgo') || path.startsWith('templates/');
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdminError('CLI_FILE_UNREADABLE', path === '' ? reason : `${path}: ${reason}`);
  }
}
