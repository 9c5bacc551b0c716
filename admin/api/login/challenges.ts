import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AdminError } from '../../errors.ts';
import { challengeText, parseChallenge } from '../../login/challenge-text.ts';
import { OnceOnly } from './once-only.ts';

/** Somebody may have to type a passphrase. */
const lifeMs = 120_000;
const nonceBytes = 32;

export interface ChallengeFacts {
  /** The server's name, as people know it. */
  readonly server: string;
  /** SHA-256 of the certificate of its authority, lower-case hex. */
  readonly authority: string;
  nowMs(): number;
}

/** What a key is to sign; both go back with the signature. */
export interface IssuedChallenge {
  readonly challenge: string;
  readonly seal: string;
  readonly expiresAtMs: number;
}

/**
 * Challenges without a memory of those that nobody answers: a seal tells ours from others, so that
 * strangers who ask for millions fill nothing. Only used ones are kept, until they end by themselves.
 */
export class LoginChallenges {
  readonly #facts: ChallengeFacts;
  /** Of this process: after a restart a login begins anew. */
  readonly #key = randomBytes(32);
  /** By nonce. */
  readonly #used: OnceOnly;

  constructor(facts: ChallengeFacts) {
    this.#facts = facts;
    this.#used = new OnceOnly(() => facts.nowMs());
  }

  /** For any name: who asks does not learn which accounts there are. */
  issue(account: string): IssuedChallenge {
    const { server, authority, nowMs } = this.#facts;
    const expiresAtMs = nowMs() + lifeMs;
    const nonce = randomBytes(nonceBytes).toString('base64url');
    const challenge = challengeText({ server, authority, account, nonce, expiresAtMs });
    return { challenge, seal: this.#seal(challenge), expiresAtMs };
  }

  /** Throws LOGIN_CHALLENGE_INVALID; `use` comes after the signature was found good. */
  check(challenge: string, seal: string, account: string): void {
    const expected = Buffer.from(this.#seal(challenge), 'hex');
    const offered = Buffer.from(seal, 'hex');
    const ours = offered.length === expected.length && timingSafeEqual(offered, expected);
    const fields = ours ? parseChallenge(challenge) : undefined;
    if (fields === undefined) throw new AdminError('LOGIN_CHALLENGE_INVALID');
    const now = this.#facts.nowMs();
    const ended = fields.expiresAtMs <= now || fields.expiresAtMs > now + lifeMs;
    if (ended || fields.account !== account || this.#used.has(fields.nonce)) {
      throw new AdminError('LOGIN_CHALLENGE_INVALID');
    }
  }

  /** No second login with it. Throws LOGIN_CHALLENGE_INVALID when there was one, and API_BUSY. */
  use(challenge: string): void {
    const { nonce = '', expiresAtMs = 0 } = parseChallenge(challenge) ?? {};
    if (!this.#used.use(nonce, expiresAtMs)) throw new AdminError('LOGIN_CHALLENGE_INVALID');
  }

  #seal(challenge: string): string {
    return createHmac('sha256', this.#key).update(challenge, 'utf8').digest('hex');
  }
}
