import type { FileStatus, Files } from '../../platform/platform.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { dirname } from '../path-text.ts';

/** What a dry run would have made of a path. */
export type ShadowEntry =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'file';
      readonly status: FileStatus;
      /** Undefined: the content is that of the real file at `contentOf`. */
      readonly content: Uint8Array | undefined;
      readonly contentOf: string | undefined;
    }
  | { readonly kind: 'symlink'; readonly status: FileStatus; readonly target: string }
  | {
      readonly kind: 'directory';
      readonly status: FileStatus;
      /** Nothing of the node shows through: it would be a new one. */
      readonly fresh: boolean;
    };

/** Paths that one dry run may change in memory; beyond it later predictions would be guesses. */
export const shadowEntryLimit = 200_000;

/** Inodes of what is not there yet; real ones never come near. */
const firstInode = 2 ** 52;

/** The file tree as it would be: what was written in memory, over the real one. */
export class ShadowTree {
  readonly #base: Files;
  readonly #entries = new Map<string, ShadowEntry>();
  #inode = firstInode;
  #links = 0;

  constructor(base: Files) {
    this.#base = base;
  }

  /** True once a link stands in memory, so that paths have to be resolved with it. */
  get hasLinks(): boolean {
    return this.#links > 0;
  }

  newInode(): number {
    this.#inode += 1;
    return this.#inode;
  }

  own(path: string): ShadowEntry | undefined {
    return this.#entries.get(path);
  }

  put(path: string, entry: ShadowEntry): void {
    if (this.#entries.size >= shadowEntryLimit && !this.#entries.has(path))
      throw new PlatformError('ENOMEM', 'write', path);
    if (entry.kind === 'symlink') this.#links += 1;
    this.#entries.set(path, entry);
  }

  /** The path and everything below it is gone. */
  remove(path: string): void {
    for (const known of [...this.#entries.keys()])
      if (known.startsWith(`${path}/`)) this.#entries.delete(known);
    this.put(path, { kind: 'absent' });
  }

  /** What is there, real or not; real things as their status. */
  async status(path: string): Promise<FileStatus | undefined> {
    const own = this.#entries.get(path);
    if (own !== undefined) return own.kind === 'absent' ? undefined : own.status;
    return this.covered(path) ? undefined : this.#base.status(path);
  }

  /** True when what is really at the path would be hidden by what is above it. */
  covered(path: string): boolean {
    for (let above = dirname(path); above !== '/'; above = dirname(above)) {
      const entry = this.#entries.get(above);
      if (entry === undefined) continue;
      return entry.kind !== 'directory' || entry.fresh;
    }
    return false;
  }

  async list(path: string): Promise<string[]> {
    const own = this.#entries.get(path);
    const hidden = own === undefined ? this.covered(path) : own.kind !== 'directory' || own.fresh;
    const names = new Set(hidden ? [] : await this.#base.list(path));
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const [known, entry] of this.#entries) {
      const name = known.slice(prefix.length);
      if (!known.startsWith(prefix) || name === '' || name.includes('/')) continue;
      if (entry.kind === 'absent') names.delete(name);
      else names.add(name);
    }
    return [...names].sort();
  }
}
