import { equalBytes } from '../../agent/protocol/bytes.ts';
import type { Operation, Store, Table } from '../../runtime/store.ts';
import type { IdentityRow } from '../policy/tables.ts';
import type { EnvoyIdentity } from '../sink/messages.ts';
import { serverTables } from './thread-data.ts';

/** Identities that are read and compared at a time. */
const pageLimit = 2_000;

interface IdentitySource {
  identities(after: string, limit: number): Promise<readonly EnvoyIdentity[]>;
}

/**
 * Brings who is an envoy from SQL, where it is decided, into the store: all of it into a new one;
 * into an old one what a crash between the two writes, or `vigosrv provision`, left out. Returns
 * how many rows were written.
 */
export async function rebuildIdentities(store: Store, source: IdentitySource): Promise<number> {
  let after = '';
  let written = 0;
  for (;;) {
    const page = await source.identities(after, pageLimit);
    const operations = page
      .filter((identity) => differs(store.get(serverTables.identities, identity.envoyId), identity))
      .map(putIdentity);
    if (operations.length > 0) await store.transact(operations).committed;
    written += operations.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageLimit) return written;
    after = last.envoyId;
  }
}

/** The settled sequence of an old row may lag: the shard's own record is ahead of it. */
function differs(row: IdentityRow | undefined, identity: EnvoyIdentity): boolean {
  return (
    row === undefined ||
    row.revoked !== identity.revoked ||
    row.hostname !== identity.hostname ||
    !equalBytes(row.publicKey, identity.publicKey)
  );
}

function putIdentity(identity: EnvoyIdentity): Operation {
  const { envoyId, hostname, publicKey, revoked, settledReportSequence } = identity;
  const value = { hostname, publicKey, revoked, settledReportSequence };
  const table = serverTables.identities as Table<unknown>;
  return { op: 'put', table, key: envoyId, value };
}
