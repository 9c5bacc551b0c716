import type { SecretSummary } from './messages.ts';

/**
 * Where secrets are kept. Paths are those of references, with `#<field>` where the store has fields.
 * Every method throws SECRETS_* errors; none of them holds a value.
 */
export interface SecretProvider {
  readonly backend: string;
  /** The value in force; undefined when there is none of this path. */
  read(path: string): Promise<string | undefined>;
  exists(path: string): Promise<boolean>;
  /** Makes `value` the one in force and keeps the former; returns the version's number. */
  write(path: string, value: string, by: string): Promise<number>;
  list(): Promise<readonly SecretSummary[]>;
  /** Makes the store ready for its first secret. */
  initialise(): Promise<void>;
  /** Encrypts everything under a new master key; returns how many secrets there are. */
  rekey(): Promise<number>;
}

/** Bytes of one value in UTF-8. */
export const secretValueLimit = 48 * 1024;
/** Secrets of one store. */
export const secretCountLimit = 10_000;
