import { equalBytes } from '../../agent/protocol/bytes.ts';
import { msgpackCodec } from '../../runtime/codecs.ts';
import type { Operation, Store, Table } from '../../runtime/store.ts';
import type { IdentityRow } from '../policy/tables.ts';
import type { IdentityPosition } from '../sink/identity-changes.ts';
import type { EnvoyIdentity } from '../sink/messages.ts';
import { serverTables } from './thread-data.ts';

/** Identities that are read and compared at a time. */
const pageLimit = 2_000;
/** With more changes than this, comparing all is no slower than looking for them. */
const changesLimit = 10_000;

/** Up to where this store has taken identities over. One row. */
const positions: Table<IdentityPosition> = {
  name: 'identity-position',
  codec: msgpackCodec(),
  rowLimit: 1,
};
const positionKey = 'current';

interface IdentitySource {
  identities(after: string, limit: number): Promise<readonly EnvoyIdentity[]>;
  identityPosition(): Promise<IdentityPosition>;
  changedIdentities(
    span: { readonly after: number; readonly through: number },
    after: string,
    limit: number,
  ): Promise<readonly EnvoyIdentity[]>;
  beginIdentityOpening(): Promise<number>;
  dropIdentityChanges(through: number): Promise<void>;
}

/**
 * Brings who is an envoy from SQL, where it is decided, into the store: all of it into a new one;
 * into an old one what a crash between the two writes, or `vigosrv provision`, left out. A store that
 * took over at the last start lacks later changes at most; of any other, every row is compared. Returns
 * how many rows were written.
 */
export async function rebuildIdentities(store: Store, source: IdentitySource): Promise<number> {
  const { opening, change } = await source.identityPosition();
  const own = store.get(positions, positionKey);
  const isNewest = own !== undefined && own.opening === opening && own.change <= change;
  const span = { after: own?.change ?? 0, through: change };
  const isShort = isNewest && change - span.after <= changesLimit;
  const written = await takeOver(store, (after) =>
    isShort
      ? source.changedIdentities(span, after, pageLimit)
      : source.identities(after, pageLimit),
  );
  // A crash between these two makes the next start compare all.
  const next = await source.beginIdentityOpening();
  const table = positions as Table<unknown>;
  const value: IdentityPosition = { opening: next, change };
  await store.transact([{ op: 'put', table, key: positionKey, value }]).durable;
  await source.dropIdentityChanges(change);
  return written;
}

async function takeOver(
  store: Store,
  read: (after: string) => Promise<readonly EnvoyIdentity[]>,
): Promise<number> {
  let after = '';
  let written = 0;
  for (;;) {
    const page = await read(after);
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
