import { equalBytes, toHex } from '../../agent/protocol/bytes.ts';
import { canonicalJsonBytes } from '../../agent/protocol/canonical-json.ts';
import { type Sha256, sha256 } from '../../agent/protocol/crypto.ts';
import type { Disk } from '../../runtime/ports/disk.ts';
import { ServerError } from '../errors.ts';
import type { StackFiles } from './stack/stack-files.ts';

/** Files written or compared at a time, so that flushes overlap. */
const filesAtOnce = 8;
/** Files removed by one clean-up; the next one goes on. */
const removeLimit = 10_000;

/** Path -> hash of the file's text. */
type Listing = Readonly<Record<string, string>>;

/**
 * The stacks of kept versions, content-addressed: `.live/files/<hash>` holds a file's text,
 * `.live/stacks/<hash>.json` which files a stack has. A version that changes one file writes two.
 */
export class StackCopies {
  readonly #disk: Disk;
  readonly #files: string;
  readonly #stacks: string;
  readonly #crypto: Sha256;

  constructor(disk: Disk, directory: string, crypto: Sha256) {
    this.#disk = disk;
    this.#files = `${directory}/files`;
    this.#stacks = `${directory}/stacks`;
    this.#crypto = crypto;
  }

  /**
   * Returns when the copy survives power loss. What a failed earlier call left is used again;
   * `repair`: after it was compared.
   */
  async write(stackHash: string, files: StackFiles, repair: boolean): Promise<void> {
    await this.#disk.makeDirectory(this.#files, 0o700);
    await this.#disk.makeDirectory(this.#stacks, 0o700);
    const known = new Set(await this.#disk.list(this.#files));
    const listing: Record<string, string> = {};
    const contents = new Map<string, Uint8Array>();
    for (const [path, text] of files) {
      const content = new TextEncoder().encode(text);
      const hash = this.#hash(content);
      listing[path] = hash;
      contents.set(hash, content);
    }
    const waiting = [...contents].filter(([hash]) => repair || !known.has(hash));
    for (let at = 0; at < waiting.length; at += filesAtOnce) {
      const writes = waiting
        .slice(at, at + filesAtOnce)
        .map(([hash, content]) => this.#writeFile(hash, content, known.has(hash)));
      // Every write is awaited before the first failure is told: none may land later.
      const results = await Promise.allSettled(writes);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }
    const text = new TextEncoder().encode(JSON.stringify(listing));
    await this.#disk.writeDurable(`${this.#stacks}/${stackHash}.json`, text, 0o600);
  }

  /** Rejects with PUBLISH_LIVE_DAMAGED when the copy is not what was written. */
  async read(stackHash: string): Promise<StackFiles> {
    const files = new Map<string, string>();
    for (const [path, hash] of Object.entries(await this.#listing(stackHash))) {
      const text = await this.#text(`${this.#files}/${hash}`);
      files.set(path, text);
    }
    const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
    if (hashStack(sorted, this.#crypto) === stackHash) return sorted;
    throw damaged('its files are not those published');
  }

  /** Removes what no kept stack has. A failure harms nothing: the next clean-up finds the rest. */
  async keepOnly(stackHashes: readonly string[]): Promise<void> {
    try {
      const kept = new Set(stackHashes);
      const files = new Set<string>();
      for (const hash of kept) {
        for (const file of Object.values(await this.#listing(hash))) files.add(file);
      }
      const stacks = await this.#disk.list(this.#stacks);
      const outdated = [
        ...stacks
          .filter((name) => !kept.has(name.replace(/\.json$/, '')))
          .map((name) => `${this.#stacks}/${name}`),
        ...(await this.#disk.list(this.#files))
          .filter((name) => !files.has(name))
          .map((name) => `${this.#files}/${name}`),
      ];
      for (const path of outdated.slice(0, removeLimit)) await this.#disk.remove(path);
    } catch {
      // Space is not worth a failed publish.
    }
  }

  /** A file that is there is compared: one that was damaged is written anew. */
  async #writeFile(hash: string, content: Uint8Array, known: boolean): Promise<void> {
    const path = `${this.#files}/${hash}`;
    if (known && equalBytes(await this.#disk.read(path), content)) return;
    await this.#disk.writeDurable(path, content, 0o600);
  }

  async #listing(stackHash: string): Promise<Listing> {
    const text = await this.#text(`${this.#stacks}/${stackHash}.json`);
    try {
      const value = JSON.parse(text) as unknown;
      if (typeof value === 'object' && value !== null) return value as Listing;
    } catch {
      // Falls through to the same refusal.
    }
    throw damaged('the list of its files cannot be read');
  }

  async #text(path: string): Promise<string> {
    if (!(await this.#disk.exists(path))) throw damaged('a file of it is missing');
    return new TextDecoder().decode(await this.#disk.read(path));
  }

  #hash(content: Uint8Array): string {
    return toHex(sha256(this.#crypto, content));
  }
}

/** SHA-256 over the canonical JSON of path -> text, hex: what a version and an approval name. */
export function hashStack(files: StackFiles, crypto: Sha256): string {
  return toHex(sha256(crypto, canonicalJsonBytes(Object.fromEntries(files))));
}

/** Bytes of a stack's texts. */
export function stackBytes(files: StackFiles): number {
  let bytes = 0;
  for (const [path, text] of files) bytes += path.length + Buffer.byteLength(text);
  return bytes;
}

function damaged(reason: string): ServerError {
  return new ServerError('PUBLISH_LIVE_DAMAGED', { reason });
}
