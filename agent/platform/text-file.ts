import type { Platform } from './platform.ts';

/** Identity of a file's content without reading it; "" when nothing is there. */
export async function fileStamp(platform: Platform, declared: string): Promise<string> {
  const path = await platform.paths.resolve(declared, { followLast: true });
  const status = await platform.files.status(path);
  if (status === undefined) return '';
  return `${status.inode}:${status.size}:${status.modifiedMs}`;
}

/** The text of a file at a declared path; undefined when it is not there. Follows a link. */
export async function readText(platform: Platform, declared: string): Promise<string | undefined> {
  const path = await platform.paths.resolve(declared, { followLast: true });
  if ((await platform.files.status(path))?.kind !== 'file') return undefined;
  return new TextDecoder().decode(await platform.files.read(path));
}

/**
 * What a file holds, parsed once and kept until the file is another one or was written: the key is
 * inode, size and time of modification.
 */
export class ParsedFile<Parsed> {
  readonly #declared: string;
  readonly #parse: (text: string) => Parsed;
  #stamp: string | undefined;
  #parsed: Parsed | undefined;

  constructor(declared: string, parse: (text: string) => Parsed) {
    this.#declared = declared;
    this.#parse = parse;
  }

  async get(platform: Platform): Promise<Parsed> {
    const stamp = await fileStamp(platform, this.#declared);
    if (this.#parsed !== undefined && stamp === this.#stamp) return this.#parsed;
    const parsed = this.#parse((await readText(platform, this.#declared)) ?? '');
    this.#parsed = parsed;
    this.#stamp = stamp;
    return parsed;
  }
}
