import { hostnameMatcher } from './hostname-globs.ts';

/**
 * Which envoys a stage of a rollout has reached, as a rule instead of a list: a stage of a large fleet
 * is then one row, and every shard decides alike. Stages add up.
 */
export interface Exposure {
  /** Of the rollout, so that it is not always the same machines that come first. */
  readonly salt: string;
  /** Envoys whose `exposureHash` is at most this are in; -1: none by share. */
  readonly upTo: number;
  /** Globs of host names that are in. */
  readonly globs: readonly string[];
}

/** A number from 0 to 2^32 - 1, evenly spread: FNV-1a, then the finalizer of MurmurHash3. */
export function exposureHash(salt: string, envoyId: string): number {
  let hash = 0x811c9dc5;
  const text = `${salt}/${envoyId}`;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The rule, ready for many envoys. */
export function exposureTest(exposure: Exposure): (envoyId: string, hostname: string) => boolean {
  const { salt, upTo, globs } = exposure;
  const byName = globs.length === 0 ? undefined : hostnameMatcher(globs);
  return (envoyId, hostname) =>
    (upTo >= 0 && exposureHash(salt, envoyId) <= upTo) || byName?.(hostname) === true;
}
