import type { Clock } from '../../runtime/ports/clock.ts';
import type { SecretProvider } from './provider.ts';

/** Values kept in memory, and their characters together. */
export const cachedValuesLimit = 2_000;
export const cachedTextLimit = 8 * 1024 * 1024;
/** A kept value is read again after this time: the store may have changed it by itself. */
export const cachedForMs = 60_000;

interface Cached {
  readonly value: string;
  readonly readAtMs: number;
}

/** Reads values for the sealers: many envoys that ask for one value cost one look into the store. */
export class SecretReader {
  readonly #provider: SecretProvider;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #cache = new Map<string, Cached>();
  readonly #reading = new Map<string, Promise<string | undefined>>();
  #text = 0;
  /** Rises when something changed: what was being read then is not kept. */
  #generation = 0;

  constructor(provider: SecretProvider, clock: Pick<Clock, 'monotonicMs'>) {
    this.#provider = provider;
    this.#clock = clock;
  }

  async value(path: string): Promise<string | undefined> {
    const known = this.#cache.get(path);
    if (known !== undefined && this.#clock.monotonicMs() - known.readAtMs < cachedForMs)
      return known.value;
    const reading = this.#reading.get(path) ?? this.#read(path);
    return await reading;
  }

  /** After a change: what is asked next comes from the store. */
  forget(): void {
    this.#generation += 1;
    this.#cache.clear();
    this.#reading.clear();
    this.#text = 0;
  }

  #read(path: string): Promise<string | undefined> {
    const generation = this.#generation;
    const reading = this.#provider
      .read(path)
      .then((value) => {
        if (value !== undefined && generation === this.#generation) this.#keep(path, value);
        return value;
      })
      .finally(() => {
        if (this.#reading.get(path) === reading) this.#reading.delete(path);
      });
    this.#reading.set(path, reading);
    return reading;
  }

  #keep(path: string, value: string): void {
    this.#drop(path);
    this.#cache.set(path, { value, readAtMs: this.#clock.monotonicMs() });
    this.#text += value.length;
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= cachedValuesLimit && this.#text <= cachedTextLimit) return;
      this.#drop(oldest);
    }
  }

  #drop(path: string): void {
    this.#text -= this.#cache.get(path)?.value.length ?? 0;
    this.#cache.delete(path);
  }
}
