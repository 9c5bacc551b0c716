import type { Disk } from '../../../runtime/ports/disk.ts';
import type { Diagnostics } from './diagnostics.ts';

/** Files of one stack. */
export const fileCountLimit = 10_000;
/** Bytes of one file. */
export const fileSizeLimit = 1_048_576;
/** Bytes of all files. */
export const stackSizeLimit = 67_108_864;
/** Directories that may nest; also what ends a loop of links. */
export const directoryDepthLimit = 12;

/** Stack path ("modules/nginx.vgo") -> content, in the order of the paths. */
export type StackFiles = ReadonlyMap<string, string>;

/** Reads policy and template files of a stack; what cannot be read is reported. */
export async function readStackFiles(
  disk: Disk,
  directory: string,
  diagnostics: Diagnostics,
): Promise<StackFiles> {
  const reader = new StackReader(disk, directory, diagnostics);
  await reader.walk('', 0);
  // An empty directory is more likely a wrong one than a wish to manage nothing.
  if (![...reader.files.keys()].some((path) => path.endsWith('.vgo'))) {
    const message = 'the stack has no .vgo file';
    diagnostics.report({ file: '', line: 1 }, { code: 'PUBLISH_UNREADABLE', message });
  }
  return new Map([...reader.files].sort(([a], [b]) => comparePaths(a, b)));
}

/** Files of a directory before its subdirectories would break "by path"; plain order it is. */
function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

class StackReader {
  readonly files = new Map<string, string>();
  readonly #disk: Disk;
  readonly #root: string;
  readonly #diagnostics: Diagnostics;
  #bytes = 0;
  #full = false;

  constructor(disk: Disk, root: string, diagnostics: Diagnostics) {
    this.#disk = disk;
    this.#root = root;
    this.#diagnostics = diagnostics;
  }

  async walk(path: string, depth: number): Promise<void> {
    if (depth > directoryDepthLimit) {
      this.#report(path, 'PUBLISH_LIMIT', `more than ${directoryDepthLimit} directories deep`);
      return;
    }
    let names: string[];
    try {
      names = await this.#disk.list(path === '' ? this.#root : `${this.#root}/${path}`);
    } catch (error) {
      this.#report(path, 'PUBLISH_UNREADABLE', `cannot read the directory: ${reason(error)}`);
      return;
    }
    for (const name of names) {
      if (this.#full) return;
      if (name.startsWith('.') || name.endsWith('~')) continue;
      await this.#visit(path === '' ? name : `${path}/${name}`, depth);
    }
  }

  async #visit(path: string, depth: number): Promise<void> {
    if (path.endsWith('.vgo')) return this.#read(path);
    const names = await this.#list(path);
    if (names !== undefined && names.length > 0) return this.walk(path, depth + 1);
    if (path.startsWith('templates/')) await this.#read(path, names !== undefined);
  }

  /** The disk port has no stat: a file cannot be listed, or lists nothing. */
  async #list(path: string): Promise<string[] | undefined> {
    try {
      return await this.#disk.list(`${this.#root}/${path}`);
    } catch {
      return undefined;
    }
  }

  async #read(path: string, maybeDirectory = false): Promise<void> {
    if (this.files.size >= fileCountLimit) {
      this.#full = true;
      this.#report(path, 'PUBLISH_LIMIT', `more than ${fileCountLimit} files`);
      return;
    }
    let bytes: Uint8Array;
    try {
      bytes = await this.#disk.read(`${this.#root}/${path}`);
    } catch (error) {
      if (maybeDirectory) return;
      this.#report(path, 'PUBLISH_UNREADABLE', `cannot read the file: ${reason(error)}`);
      return;
    }
    this.#bytes += bytes.length;
    if (bytes.length > fileSizeLimit) {
      this.#report(path, 'PUBLISH_LIMIT', `the file is larger than ${fileSizeLimit} bytes`);
      return;
    }
    if (this.#bytes > stackSizeLimit) {
      this.#full = true;
      this.#report(path, 'PUBLISH_LIMIT', `the stack is larger than ${stackSizeLimit} bytes`);
      return;
    }
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      this.files.set(path, text);
      this.#diagnostics.addFile(path, text);
    } catch {
      this.#report(path, 'PUBLISH_UNREADABLE', 'the file is not UTF-8 text');
    }
  }

  #report(file: string, code: 'PUBLISH_LIMIT' | 'PUBLISH_UNREADABLE', message: string): void {
    this.#diagnostics.report({ file, line: 1 }, { code, message });
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
