import { msgpackCodec } from '../../runtime/codecs.ts';
import type { Operation, Store, Table } from '../../runtime/store.ts';
import type { EnvoyIdentity } from '../sink/messages.ts';
import { serverTables } from './thread-data.ts';

/** Identities that are read and written at a time. */
const pageLimit = 2_000;

/** One row: which parts of this store were rebuilt to the end. */
const rebuiltTable: Table<boolean> = { name: 'rebuilt', codec: msgpackCodec(), rowLimit: 16 };
const identitiesKey = 'identities';

interface IdentitySource {
  identities(after: string, limit: number): Promise<readonly EnvoyIdentity[]>;
  identitySummary(): Promise<{ count: number; revoked: readonly EnvoyIdentity[] }>;
}

/**
 * The state directory may be deleted; who is an envoy stands in SQL. Fills a new store, one whose
 * rebuild was cut off, and one that lacks envoys: those of `vigosrv provision`, or of a registration that
 * a crash cut off between SQL and store. Revocations are always taken over, for the same reason.
 * Returns how many identities were written; undefined when nothing was missing.
 */
export async function rebuildIdentities(
  store: Store,
  source: IdentitySource,
): Promise<number | undefined> {
  const { count: expected, revoked } = await source.identitySummary();
  if (revoked.length > 0) await store.transact(revoked.map(putIdentity)).committed;
  const isWhole = store.count(serverTables.identities) === expected;
  if (isWhole && store.get(rebuiltTable, identitiesKey)) return undefined;
  let after = '';
  let count = 0;
  for (;;) {
    const page = await source.identities(after, pageLimit);
    if (page.length > 0) await store.transact(page.map(putIdentity)).committed;
    count += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageLimit) break;
    after = last.envoyId;
  }
  const done = {
    op: 'put',
    table: asTable(rebuiltTable),
    key: identitiesKey,
    value: true,
  } as const;
  await store.transact([done]).durable;
  return count;
}

function putIdentity(identity: EnvoyIdentity): Operation {
  const { envoyId, hostname, publicKey, revoked, settledReportSequence } = identity;
  const value = { hostname, publicKey, revoked, settledReportSequence };
  return { op: 'put', table: asTable(serverTables.identities), key: envoyId, value };
}

function asTable<V>(table: Table<V>): Table<unknown> {
  return table as Table<unknown>;
}
