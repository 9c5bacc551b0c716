import type { Codec, Table } from '../../runtime/store.ts';
import { secretCountLimit } from './provider.ts';

/**
 * What the shards know of secrets: when each last changed. Stands in the service thread's store, made
 * anew from the secrets directory when it is lost.
 */
export type SecretEpochTable = Table<{ readonly epoch: number }>;

/** The row of the newest epoch; "." begins no path. */
export const currentEpochKey = '.current';

export function secretEpochTable(codec: Codec<{ readonly epoch: number }>): SecretEpochTable {
  return { name: 'secret-epochs', codec, rowLimit: secretCountLimit + 1 };
}
