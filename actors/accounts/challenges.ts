import type { FirstProof } from './messages.ts';

/** Logins that wait for their second factor. */
export const challengeLimit = 1_000;
const challengeLifeMs = 300_000;
const triesMax = 5;

interface Challenge {
  readonly accountId: string;
  /** What was proven already. */
  readonly proof: FirstProof;
  readonly expiresAtMs: number;
  tries: number;
}

/** First proofs that were good, and wait for a code; in memory only, so a restart ends them. */
export class Challenges {
  readonly #open = new Map<string, Challenge>();

  add(id: string, accountId: string, proof: FirstProof, nowMs: number): number {
    const expiresAtMs = nowMs + challengeLifeMs;
    this.#open.set(id, { accountId, proof, expiresAtMs, tries: 0 });
    for (const [oldest, { expiresAtMs: end }] of this.#open) {
      if (this.#open.size <= challengeLimit && end > nowMs) break;
      this.#open.delete(oldest);
    }
    return expiresAtMs;
  }

  /** Whose it is, and counts the try; undefined when it is unknown, over or tried too often. */
  try(id: string, nowMs: number): Pick<Challenge, 'accountId' | 'proof'> | undefined {
    const challenge = this.#open.get(id);
    if (challenge === undefined || challenge.expiresAtMs <= nowMs) return undefined;
    challenge.tries += 1;
    if (challenge.tries <= triesMax) return challenge;
    this.#open.delete(id);
    return undefined;
  }

  done(id: string): void {
    this.#open.delete(id);
  }

  /** The account's password, role or state changed. */
  endOf(accountId: string): void {
    for (const [id, challenge] of this.#open) {
      if (challenge.accountId === accountId) this.#open.delete(id);
    }
  }
}
