import { sha512CryptMatches } from './sha512-crypt.ts';

const memoryLimit = 256;

/**
 * Checks passwords against hashes and remembers the last answer for each hash, in memory only: a
 * hash costs milliseconds by design, and the same question comes with every pass.
 */
export class PasswordChecks {
  readonly #answers = new Map<string, { readonly password: string; readonly matches: boolean }>();

  matches(password: string, hash: string): boolean {
    if (!hash.startsWith('$6$')) return false;
    const known = this.#answers.get(hash);
    if (known?.password === password) return known.matches;
    const matches = sha512CryptMatches(password, hash);
    if (this.#answers.size >= memoryLimit) this.#answers.clear();
    this.#answers.set(hash, { password, matches });
    return matches;
  }
}
