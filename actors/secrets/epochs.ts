import type { Disk } from '../../runtime/ports/disk.ts';
import { ServerError } from '../errors.ts';
import { secretCountLimit } from './provider.ts';

/**
 * When each secret last changed, as an epoch: a number that only rises, also over restarts and lost
 * state, because it is at least the time of the change in milliseconds. Without values, and durable:
 * a node that missed the change must still be told after the state of the server was lost.
 */
export class SecretEpochs {
  readonly #disk: Disk;
  readonly #file: string;
  #current = 0;
  readonly #paths = new Map<string, number>();

  private constructor(disk: Disk, file: string) {
    this.#disk = disk;
    this.#file = file;
  }

  /** An unreadable file counts as lost: then every secret counts as changed now. */
  static async open(disk: Disk, file: string, nowMs: number): Promise<SecretEpochs> {
    const epochs = new SecretEpochs(disk, file);
    if (!(await disk.exists(file))) return epochs;
    const text = new TextDecoder().decode(await disk.read(file));
    try {
      const stored = JSON.parse(text) as { current: number; paths: Record<string, number> };
      if (!Number.isSafeInteger(stored.current)) throw new Error('no number');
      epochs.#current = stored.current;
      for (const [path, epoch] of Object.entries(stored.paths)) epochs.#paths.set(path, epoch);
    } catch {
      epochs.#current = nowMs;
    }
    return epochs;
  }

  /** 0 before the first change. */
  get current(): number {
    return this.#current;
  }

  entries(): Iterable<readonly [path: string, epoch: number]> {
    return this.#paths.entries();
  }

  /** Durable when it resolves; returns the new epoch. */
  async raise(paths: readonly string[], nowMs: number): Promise<number> {
    const epoch = Math.max(this.#current + 1, nowMs);
    const changed = new Map(this.#paths);
    for (const path of paths) changed.set(path, epoch);
    if (changed.size > secretCountLimit)
      throw new ServerError('SECRETS_LIMIT', { limit: secretCountLimit });
    const stored = { current: epoch, paths: Object.fromEntries(changed) };
    const text = `${JSON.stringify(stored)}\n`;
    await this.#disk.writeDurable(this.#file, new TextEncoder().encode(text), 0o600);
    this.#current = epoch;
    for (const path of paths) this.#paths.set(path, epoch);
    return epoch;
  }
}
