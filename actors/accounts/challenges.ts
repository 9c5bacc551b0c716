/** Logins that wait for their second factor. */
export const challengeLimit = 1_000;
const challengeLifeMs = 300_000;
const triesMax = 5;

interface Challenge {
  readonly accountId: string;
  readonly expiresAtMs: number;
  tries: number;
}

/** Passwords that were right, and wait for a code; in memory only, so a restart ends them. */
export class Challenges {
  readonly #open = new Map<string, Challenge>();

  add(id: string, accountId: string, nowMs: number): number {
    const expiresAtMs = nowMs + challengeLifeMs;
    this.#open.set(id, { accountId, expiresAtMs, tries: 0 });
    for (const [oldest, { expiresAtMs: end }] of this.#open) {
      if (this.#open.size <= challengeLimit && end > nowMs) break;
      this.#open.delete(oldest);
    }
    return expiresAtMs;
  }

  /** Whose it is, and counts the try; undefined when it is unknown, over or tried too often. */
  try(id: string, nowMs: number): string | undefined {
    const challenge = this.#open.get(id);
    if (challenge === undefined || challenge.expiresAtMs <= nowMs) return undefined;
    challenge.tries += 1;
    if (challenge.tries <= triesMax) return challenge.accountId;
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
