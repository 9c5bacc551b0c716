import t from 'tap';
import { rebuildIdentities } from '../../../actors/server/rebuild.ts';
import { serverTables } from '../../../actors/server/thread-data.ts';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openSimulatedStore } from '../../../runtime/simulate/simulated-store.ts';
import { SimulatedStoreDisk } from '../../../runtime/simulate/simulated-store-disk.ts';
import { envoyIdOf, envoyRecord, testSink } from '../support/sink.ts';

t.test('a start takes over every identity and revocation that the store lacks', async (t) => {
  const { writer } = testSink(t);
  const { store } = openSimulatedStore({ disk: new SimulatedStoreDisk(), ports: nodePorts() });
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
