import type { StateFiles } from '../offline/state-files.ts';
import type { PolicyValue } from '../protocol/bundle.ts';
import { canonicalJson, canonicalJsonBytes } from '../protocol/canonical-json.ts';
import { type Sha256, sha256 } from '../protocol/crypto.ts';
import { traitsLimit } from '../protocol/limits.ts';
import { isMap } from './values.ts';

type Traits = Readonly<Record<string, PolicyValue>>;

/** What the server is told of the machine; the same one as long as there is nothing new to say. */
export interface ToldDocument {
  /** Canonical JSON. */
  readonly json: Uint8Array;
  /** First 16 bytes of its SHA-256. */
  readonly hash: Uint8Array;
}

export interface ToldTraitsOptions {
  readonly files: StateFiles;
  readonly hash: Sha256;
  readonly nowMs: () => number;
  readonly isNews: (
    name: string,
    told: PolicyValue | undefined,
    now: PolicyValue | undefined,
  ) => boolean;
  /** Uniform in [0, 1): spreads the renewals of a fleet. */
  readonly random: () => number;
  /** Called with what went wrong when the document cannot be kept over a restart. */
  readonly onError: (error: unknown) => void;
}

export const toldTraitsFileName = 'traits';
const hashLength = 16;
/** Without news the document is renewed after so long, times 0.75 to 1.25. */
const renewalMs = 60 * 60_000;
/** News at once, until something flaps: then one more every five minutes. */
const newsBurst = 10;
const newsMs = 5 * 60_000;

interface Told {
  readonly atMs: number;
  readonly traits: Traits;
  readonly document: ToldDocument;
}

/**
 * Decides when the server is told new traits. Policy sees the traits of the moment; the document
 * whose hash goes into check-ins holds those of the last time that there was news, or that an hour
 * was over, so that load and time do not make the server ask at every check-in.
 */
export class ToldTraits {
  readonly #options: ToldTraitsOptions;
  readonly #renewalMs: number;
  #told: Told | undefined;
  #opened = false;
  #allowance = newsBurst;
  #refilledMs = 0;

  constructor(options: ToldTraitsOptions) {
    this.#options = options;
    this.#renewalMs = renewalMs * (0.75 + options.random() / 2);
  }

  /** The document to tell when `now` is what was collected. */
  async document(now: Traits): Promise<ToldDocument> {
    if (!this.#opened) this.#told = await this.#load();
    this.#opened = true;
    const nowMs = this.#options.nowMs();
    if (this.#told !== undefined && !this.#renews(this.#told, now, nowMs))
      return this.#told.document;
    const told = withinLimit(now);
    const document = this.#documentOf(told);
    // Compared with what was collected, also when not all of it fits.
    this.#told = { atMs: nowMs, traits: now, document };
    await this.#store(nowMs, told);
    return document;
  }

  #renews({ atMs, traits }: Told, now: Traits, nowMs: number): boolean {
    const ageMs = nowMs - atMs;
    // A clock that was set back would otherwise hold the document for as long.
    if (ageMs < 0 || ageMs >= this.#renewalMs) return true;
    const names = new Set([...Object.keys(traits), ...Object.keys(now)]);
    const news = [...names].some((name) => this.#options.isNews(name, traits[name], now[name]));
    return news && this.#isAllowed(nowMs);
  }

  #isAllowed(nowMs: number): boolean {
    const refill = Math.floor(Math.max(0, nowMs - this.#refilledMs) / newsMs);
    if (refill > 0 || nowMs < this.#refilledMs) this.#refilledMs = nowMs;
    this.#allowance = Math.min(newsBurst, this.#allowance + refill);
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }

  #documentOf(traits: Traits): ToldDocument {
    const json = canonicalJsonBytes(traits);
    return { json, hash: sha256(this.#options.hash, json).slice(0, hashLength) };
  }

  /** One that is damaged or missing is made anew. */
  async #load(): Promise<Told | undefined> {
    try {
      const content = await this.#options.files.read(toldTraitsFileName);
      if (content === undefined) return undefined;
      const kept = JSON.parse(new TextDecoder().decode(content)) as PolicyValue;
      if (!isMap(kept) || typeof kept.atMs !== 'number' || !isMap(kept.traits)) return undefined;
      const { atMs, traits } = kept;
      return { atMs, traits, document: this.#documentOf(traits) };
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  /** Lost, it costs one more document after a restart. */
  async #store(atMs: number, traits: Traits): Promise<void> {
    try {
      const content = canonicalJsonBytes({ atMs, traits });
      await this.#options.files.replace(toldTraitsFileName, content);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** The server refuses larger documents: the largest traits are left out until the rest fits. */
function withinLimit(traits: Traits): Traits {
  const sizes = Object.entries(traits).map(([name, value]) => {
    const bytes = new TextEncoder().encode(canonicalJson(value)).length + name.length + 4;
    return { name, value, bytes };
  });
  sizes.sort((a, b) => b.bytes - a.bytes);
  let total = sizes.reduce((sum, { bytes }) => sum + bytes, 2);
  while (total > traitsLimit && sizes.length > 0) total -= sizes.shift()!.bytes;
  return Object.fromEntries(sizes.map(({ name, value }) => [name, value]));
}
