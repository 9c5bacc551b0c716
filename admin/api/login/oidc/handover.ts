import { randomBytes } from 'node:crypto';
import { AdminError } from '../../../errors.ts';
import { pkceChallenge } from '../../../login/program-login.ts';

/** A program that waits while somebody logs in with a browser. */
export interface WaitingProgram {
  /** S256 of what only the program knows. */
  readonly challenge: string;
  /** Where it listens on the loopback of its machine. */
  readonly port: number;
}

/** Somebody whom the provider has proven, for the program that waits. */
export interface ProvenPerson {
  readonly accountId: string;
  readonly multiFactor: boolean;
}

interface Handover extends ProvenPerson {
  readonly challenge: string;
  readonly expiresAtMs: number;
}

const lifeMs = 300_000;
const codeBytes = 20;
/** Made for people whom the provider has proven only, so strangers fill nothing. */
const defaultMax = 1_000;

/** Codes that a browser hands to a program; in memory only, so a restart ends them. */
export class Handovers {
  readonly #nowMs: () => number;
  readonly #max: number;
  /** By code. */
  readonly #open = new Map<string, Handover>();

  constructor(nowMs: () => number, max = defaultMax) {
    this.#nowMs = nowMs;
    this.#max = max;
  }

  /** A code that is worth something to the program with this challenge, once. The oldest makes room. */
  issue({ accountId, multiFactor }: ProvenPerson, { challenge }: WaitingProgram): string {
    const nowMs = this.#nowMs();
    const code = randomBytes(codeBytes).toString('base64url');
    this.#open.set(code, { accountId, multiFactor, challenge, expiresAtMs: nowMs + lifeMs });
    for (const [oldest, { expiresAtMs }] of this.#open) {
      if (this.#open.size <= this.#max && expiresAtMs > nowMs) break;
      this.#open.delete(oldest);
    }
    return code;
  }

  /** Whoever tries a code uses it up: it may have been seen. Throws OIDC_HANDOVER_INVALID. */
  take(code: string, verifier: string): ProvenPerson {
    const found = this.#open.get(code);
    this.#open.delete(code);
    const isGood =
      found !== undefined &&
      found.expiresAtMs > this.#nowMs() &&
      found.challenge === pkceChallenge(verifier);
    if (!isGood) throw new AdminError('OIDC_HANDOVER_INVALID');
    const { accountId, multiFactor } = found;
    return { accountId, multiFactor };
  }
}
