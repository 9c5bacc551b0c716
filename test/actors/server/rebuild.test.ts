import t from 'tap';
import { rebuildIdentities } from '../../../actors/server/rebuild.ts';
import { serverTables } from '../../../actors/server/thread-data.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import type { Store } from '../../../runtime/store.ts';
import { fc } from '../../support/property.ts';
import { envoyIdOf, envoyRecord, testSink } from '../support/sink.ts';

function newStore(): Store {
  return openSimulatedStore({ disk: new SimulatedStoreDisk(), ports: nodePorts() }).store;
}

t.test('a start takes over every identity and revocation that the store lacks', async (t) => {
  const { writer } = testSink(t);
  const store = newStore();
  await writer.write([envoyRecord(1), envoyRecord(2)], []);
  t.equal(await rebuildIdentities(store, writer), 2);
  t.equal(await rebuildIdentities(store, writer), 0);
  const revoked = { record: 'envoyRevoked', envoyId: envoyIdOf(2), reason: 'x', atMs: 5 } as const;
  await writer.write([revoked, envoyRecord(3)], []);
  t.equal(await rebuildIdentities(store, writer), 2, 'one was provisioned, one was revoked');
  t.match(store.get(serverTables.identities, envoyIdOf(2)), { revoked: true });
  await writer.write([{ ...revoked, envoyId: envoyIdOf(3) }], []);
  t.equal(await rebuildIdentities(store, writer), 1);
  t.match(store.get(serverTables.identities, envoyIdOf(3)), { revoked: true });
});

t.test('whatever changed, and whichever store starts, it has the identities of SQL', async (t) => {
  const number = fc.integer({ min: 1, max: 6 });
  const step = fc.oneof(
    fc.record({ what: fc.constant('write' as const), number }),
    fc.record({ what: fc.constant('revoke' as const), number }),
    // A start of one of three stores: that of the last start, one that was kept aside, a new one.
    fc.record({ what: fc.constant('start' as const), number: fc.integer({ min: 0, max: 2 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { writer } = testSink(t);
      const stores = [newStore(), newStore()];
      const revoked = new Map<string, boolean>();
      for (const { what, number: at } of [...steps, { what: 'start' as const, number: 0 }]) {
        const envoyId = envoyIdOf(at);
        if (what === 'write' && !revoked.has(envoyId)) {
          await writer.write([envoyRecord(at)], []);
          revoked.set(envoyId, false);
        } else if (what === 'revoke' && revoked.get(envoyId) === false) {
          await writer.write([{ record: 'envoyRevoked', envoyId, reason: 'x', atMs: 5 }], []);
          revoked.set(envoyId, true);
        } else if (what === 'start') {
          const store = stores[at] ?? newStore();
          await rebuildIdentities(store, writer);
          for (const [id, expected] of revoked) {
            const found = store.get(serverTables.identities, id)?.revoked;
            if (found !== expected) throw new Error(`${id}: ${found}, not ${expected}`);
          }
        }
      }
    }),
    { numRuns: 12 },
  );
});

t.test('a start with nothing new reads no identities', async (t) => {
  const { writer } = testSink(t);
  const store = newStore();
  await writer.write([envoyRecord(1), envoyRecord(2)], []);
  await rebuildIdentities(store, writer);
  const read: string[] = [];
  const counting = {
    identityPosition: () => writer.identityPosition(),
    beginIdentityOpening: () => writer.beginIdentityOpening(),
    dropIdentityChanges: (through: number) => writer.dropIdentityChanges(through),
    identities: (after: string, limit: number) => {
      read.push('all');
      return writer.identities(after, limit);
    },
    changedIdentities: async (span: { after: number; through: number }, after: string) => {
      const changed = await writer.changedIdentities(span, after, 10);
      read.push(...changed.map(({ envoyId }) => envoyId));
      return changed;
    },
  };
  await rebuildIdentities(store, counting);
  t.same(read, []);
  await writer.write([envoyRecord(3)], []);
  await rebuildIdentities(store, counting);
  t.same(read, [envoyIdOf(3)], 'and with one more that one');
});
