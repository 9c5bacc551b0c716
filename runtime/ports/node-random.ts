import { randomBytes } from 'node:crypto';
import type { Random } from './random.ts';

/** The operating system's generator for bytes, V8's for fractions. */
export function nodeRandom(): Random {
  return {
    fraction: () => Math.random(),
    bytes: (length) => new Uint8Array(randomBytes(length)),
  };
}
