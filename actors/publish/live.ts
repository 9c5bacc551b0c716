import { toHex } from '../../agent/protocol/bytes.ts';
import { canonicalJsonBytes } from '../../agent/protocol/canonical-json.ts';
import { type Sha256, sha256 } from '../../agent/protocol/crypto.ts';
import type { Disk } from '../../runtime/ports/disk.ts';
import { codeOf, ServerError } from '../errors.ts';
import type { StackFiles } from './stack/stack-files.ts';

/** What `.live/version.json` says: the commit point of a publish. */
export interface LiveVersion {
  readonly version: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  readonly message: string;
  /** Hex; also the directory of the copy. */
  readonly stackHash: string;
  /** Of the version before, whose copy is kept too. */
  readonly previousStackHash?: string;
  /** Hex roots of this version and of the one before, whose bundles are kept. */
  readonly bundleRoots: readonly string[];
  readonly previousRoots: readonly string[];
}

/** The copies of the stack under `.live/`: one directory per stack hash, and version.json. */
export class LiveDirectory {
  readonly #disk: Disk;
  readonly #directory: string;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  stackDirectory(stackHash: string): string {
    return `${this.#directory}/${stackHash}`;
  }

  async current(): Promise<LiveVersion | undefined> {
    return (await this.#readJson('version.json')) as LiveVersion | undefined;
  }

  /** As `current`, but nothing instead of PUBLISH_LIVE_DAMAGED: a new publish repairs it. */
  async currentIfWhole(): Promise<LiveVersion | undefined> {
    return this.current().catch(ignoreDamage);
  }

  /** A version that was never given out before, also not to a publish that failed. */
  async reserveVersion(used: number): Promise<number> {
    const reserved = (await this.#readJson('reserved.json').catch(ignoreDamage)) as
      | { version: number }
      | undefined;
    const version = Math.max(used, reserved?.version ?? 0) + 1;
    await this.#writeJson('reserved.json', { version });
    return version;
  }

  /** Copies the files; they count only when `commit` has named them. */
  async writeStack(stackHash: string, files: StackFiles): Promise<void> {
    const directory = this.stackDirectory(stackHash);
    await this.#disk.remove(directory);
    await this.#disk.makeDirectory(directory, 0o700);
    const made = new Set<string>();
    for (const [path, text] of files) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      if (parent !== '' && !made.has(parent)) {
        await this.#disk.makeDirectory(`${directory}/${parent}`, 0o700);
        made.add(parent);
      }
      await this.#disk.writeDurable(`${directory}/${path}`, new TextEncoder().encode(text), 0o600);
    }
  }

  async commit(live: LiveVersion): Promise<void> {
    await this.#writeJson('version.json', live);
  }

  /** Removes the copy that neither this version nor the last one uses. Its failure harms nothing. */
  async forget(stackHash: string): Promise<void> {
    await this.#disk.remove(this.stackDirectory(stackHash)).catch(() => undefined);
  }

  async #readJson(name: string): Promise<unknown> {
    const path = `${this.#directory}/${name}`;
    if (!(await this.#disk.exists(path))) return undefined;
    const text = new TextDecoder().decode(await this.#disk.read(path));
    try {
      const value = JSON.parse(text) as { version?: unknown } | null;
      if (typeof value?.version === 'number') return value;
    } catch {
      // Falls through to the same refusal.
    }
    throw new ServerError('PUBLISH_LIVE_DAMAGED', { reason: `${name} cannot be read` });
  }

  async #writeJson(name: string, value: object): Promise<void> {
    await this.#disk.makeDirectory(this.#directory, 0o700);
    const text = `${JSON.stringify(value, null, 2)}\n`;
    await this.#disk.writeDurable(`${this.#directory}/${name}`, new TextEncoder().encode(text));
  }
}

/** SHA-256 over the canonical JSON of path -> text, hex. */
export function hashStack(files: StackFiles, crypto: Sha256): string {
  return toHex(sha256(crypto, canonicalJsonBytes(Object.fromEntries(files))));
}

function ignoreDamage(error: unknown): undefined {
  if (codeOf(error) !== 'PUBLISH_LIVE_DAMAGED') throw error;
  return undefined;
}
