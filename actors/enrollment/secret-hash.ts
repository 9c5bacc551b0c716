import bcrypt from 'bcrypt';

/** One-way hashes of token secrets. Slow on purpose; both run outside of the calling thread. */
export interface SecretHash {
  hash(secret: string): Promise<string>;
  verify(secret: string, expected: string): Promise<boolean>;
}

/** bcrypt on libuv's thread pool. `cost` 10 takes about 70 ms. */
export function bcryptSecrets(cost: number): SecretHash {
  return {
    hash: (secret) => bcrypt.hash(secret, cost),
    verify: (secret, expected) => bcrypt.compare(secret, expected),
  };
}
