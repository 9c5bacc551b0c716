import type { Platform } from '../platform/platform.ts';
import { temporaryName } from '../platform/platform.ts';
import { toHex } from '../protocol/bytes.ts';
import type { Undo } from './undo.ts';

/** Changes of the machine's files, each of which can be taken back. Paths are declared ones. */
export class InstallTree {
  readonly #platform: Platform;
  readonly #undo: Undo;

  constructor(platform: Platform, undo: Undo) {
    this.#platform = platform;
    this.#undo = undo;
  }

  resolve(path: string): Promise<string> {
    return this.#platform.paths.resolve(path);
  }

  async kind(path: string) {
    return (await this.#platform.files.status(await this.resolve(path)))?.kind;
  }

  async isDirectory(path: string): Promise<boolean> {
    const real = await this.#platform.paths.resolve(path, { followLast: true });
    return (await this.#platform.files.status(real))?.kind === 'directory';
  }

  /** With its parents. */
  async directory(path: string): Promise<void> {
    if (path === '' || (await this.isDirectory(path))) return;
    await this.directory(path.slice(0, path.lastIndexOf('/')));
    const real = await this.resolve(path);
    await this.#platform.files.makeDirectory(real, 0o755);
    this.#undo.push(() => this.#platform.files.removeEmptyDirectory(real));
  }

  /** Replaces or makes a file of a text; false when it was the same already. */
  async text(path: string, text: string, mode: number): Promise<boolean> {
    const { files } = this.#platform;
    const real = await this.resolve(path);
    const status = await files.status(real);
    const before = status?.kind === 'file' ? await files.read(real) : undefined;
    const content = new TextEncoder().encode(text);
    const same = before !== undefined && new TextDecoder().decode(before) === text;
    if (same && status?.mode === mode) return false;
    this.#undo.push(() =>
      before === undefined
        ? files.removeFile(real)
        : files.writeAtomic(real, before, { mode: status?.mode ?? mode }),
    );
    await files.writeAtomic(real, content, { mode });
    return true;
  }

  /** Replaces or makes a link as one step; false when it was the same already. */
  async link(path: string, target: string): Promise<boolean> {
    const { files } = this.#platform;
    const real = await this.resolve(path);
    const before =
      (await files.status(real))?.kind === 'symlink' ? await files.readLink(real) : undefined;
    if (before === target) return false;
    this.#undo.push(() =>
      before === undefined ? files.removeFile(real) : this.#exchange(real, before),
    );
    await this.#exchange(real, target);
    return true;
  }

  /** Puts a copy of the real file `source` at `path`; the former one stays until all is done. */
  async program(source: string, path: string): Promise<void> {
    const { files } = this.#platform;
    const real = await this.resolve(path);
    const fresh = this.#beside(real);
    const former = this.#beside(real);
    const existed = (await files.status(real)) !== undefined;
    if (existed) await files.hardLink(real, former);
    this.#undo.push(async () => {
      await files.removeFile(fresh);
      if (existed) await files.rename(former, real);
      else await files.removeFile(real);
    });
    await files.copyFile(source, fresh, 0o755);
    await files.rename(fresh, real);
  }

  async #exchange(real: string, target: string): Promise<void> {
    const fresh = this.#beside(real);
    await this.#platform.files.symbolicLink(target, fresh);
    await this.#platform.files.rename(fresh, real);
  }

  #beside(real: string): string {
    const unique = toHex(this.#platform.host.randomBytes(8));
    return `${real.slice(0, real.lastIndexOf('/'))}/${temporaryName(unique)}`;
  }
}
