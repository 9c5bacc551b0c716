import { RuntimeError } from '../errors.ts';
import type { Disk, DiskEntry } from '../ports/disk.ts';

/** Bytes that the simulated disk holds. */
export const simulatedDiskLimit = 1024 ** 3;

/** Files in memory. The Nth operation from now on fails when `failNth` is set; 0 = none. */
export class SimulatedDisk implements Disk {
  failNth = 0;
  readonly #files = new Map<string, Uint8Array>();
  /** The content itself: another write is another array. */
  readonly #versions = new WeakMap<Uint8Array, string>();
  #writes = 0;
  readonly #directories = new Set<string>(['/']);

  async read(path: string): Promise<Uint8Array> {
    this.#step();
    const content = this.#files.get(path);
    if (!content) throw new Error(`ENOENT: ${path}`);
    return content.slice();
  }

  async writeDurable(path: string, content: Uint8Array): Promise<void> {
    this.#step();
    const used = [...this.#files.values()].reduce((sum, file) => sum + file.byteLength, 0);
    if (used + content.byteLength > simulatedDiskLimit) {
      throw new RuntimeError('RUNTIME_LIMIT', { what: 'disk', limit: simulatedDiskLimit });
    }
    this.#files.set(path, content.slice());
  }

  async rename(from: string, to: string): Promise<void> {
    const content = await this.read(from);
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    for (const name of [...this.#files.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#files.delete(name);
    }
    for (const name of [...this.#directories]) {
      if (name === path || name.startsWith(`${path}/`)) this.#directories.delete(name);
    }
  }

  async list(path: string): Promise<string[]> {
    this.#step();
    const under = [...this.#files.keys(), ...this.#directories].filter((name) =>
      name.startsWith(`${path}/`),
    );
    return [
      ...new Set(under.map((name) => name.slice(path.length + 1).split('/')[0] ?? '')),
    ].sort();
  }

  async makeDirectory(path: string): Promise<void> {
    this.#step();
    this.#directories.add(path);
  }

  async exists(path: string): Promise<boolean> {
    this.#step();
    return this.#files.has(path) || this.#directories.has(path);
  }

  async inspect(path: string): Promise<DiskEntry | undefined> {
    this.#step();
    const content = this.#files.get(path);
    if (content !== undefined) {
      const version = this.#versions.get(content) ?? String(++this.#writes);
      this.#versions.set(content, version);
      return { kind: 'file', bytes: content.byteLength, version };
    }
    const known = [...this.#files.keys(), ...this.#directories];
    const above = known.some((name) => name === path || name.startsWith(`${path}/`));
    return above ? { kind: 'directory', bytes: 0, version: '' } : undefined;
  }

  /** There are no links here. */
  async resolve(path: string): Promise<string> {
    return path;
  }

  #step(): void {
    if (this.failNth === 0) return;
    this.failNth -= 1;
    if (this.failNth === 0) throw new Error('EIO: simulated fault');
  }
}
