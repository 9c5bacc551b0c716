import { createHash } from 'node:crypto';
import type { Clock } from '../../../runtime/ports/clock.ts';
import { AdminError } from '../../errors.ts';
import type { EdgeRequest, EdgeResponse } from '../http-edge.ts';

const keyForm = /^[\x21-\x7e]{1,255}$/;
const keptMs = 24 * 3600 * 1000;

export interface IdempotencyLimits {
  readonly entriesMax: number;
  /** Of bodies of answers, characters. */
  readonly charactersMax: number;
}

const idempotencyLimits: IdempotencyLimits = {
  entriesMax: 10_000,
  charactersMax: 32 * 1024 * 1024,
};
/** Answers that say nothing about the write: a repeated request is tried again. */
const notKept: ReadonlySet<number> = new Set([401, 403, 408, 409, 412, 429]);

interface Entry {
  /** Of method, path, query and body. */
  readonly fingerprint: string;
  readonly atMs: number;
  /** Undefined while it is being answered. */
  response: EdgeResponse | undefined;
  characters: number;
}

/**
 * Remembers what writes with an Idempotency-Key were answered with
 * (draft-ietf-httpapi-idempotency-key-header), for a day or until the server restarts. In memory:
 * answers may hold tokens that are shown once.
 */
export class IdempotencyStore {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #limits: IdempotencyLimits;
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>, limits: IdempotencyLimits = idempotencyLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** `run` at most once for each key of a principal. Throws API_IDEMPOTENCY_*. */
  async once(
    by: string,
    key: string,
    request: EdgeRequest,
    run: () => Promise<EdgeResponse>,
  ): Promise<EdgeResponse> {
    if (!keyForm.test(key)) {
      throw new AdminError('API_BAD_REQUEST', 'an Idempotency-Key has 1 to 255 visible characters');
    }
    const name = `${by} ${key}`;
    const fingerprint = fingerprintOf(request);
    const known = this.#find(name);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) throw new AdminError('API_IDEMPOTENCY_CONFLICT');
      if (known.response === undefined) throw new AdminError('API_IDEMPOTENCY_RUNNING');
      const { headers, ...rest } = known.response;
      return { ...rest, headers: { ...headers, 'idempotency-replayed': 'true' } };
    }
    const entry: Entry = {
      fingerprint,
      atMs: this.#clock.monotonicMs(),
      response: undefined,
      characters: 0,
    };
    this.#entries.set(name, entry);
    try {
      const response = await run();
      this.#keep(name, entry, response);
      return response;
    } catch (error) {
      this.#entries.delete(name);
      throw error;
    }
  }

  #find(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || this.#clock.monotonicMs() - entry.atMs < keptMs) return entry;
    this.#forget(name);
    return undefined;
  }

  #keep(name: string, entry: Entry, response: EdgeResponse): void {
    const { status, body } = response;
    if (typeof body !== 'string' || status >= 500 || notKept.has(status)) {
      this.#entries.delete(name);
      return;
    }
    entry.response = response;
    entry.characters = body.length;
    this.#characters += body.length;
    const { entriesMax, charactersMax } = this.#limits;
    for (const [oldest, { response: answered }] of this.#entries) {
      if (this.#entries.size <= entriesMax && this.#characters <= charactersMax) return;
      if (answered !== undefined) this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    this.#characters -= this.#entries.get(name)?.characters ?? 0;
    this.#entries.delete(name);
  }
}

function fingerprintOf({ method, path, query, body }: EdgeRequest): string {
  return createHash('sha256')
    .update(`${method} ${path}?${query}\n`)
    .update(body)
    .digest('base64url');
}
