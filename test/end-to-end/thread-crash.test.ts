import t from 'tap';
import { startServer } from '../../actors/server/server.ts';
import { eventually, TestDatabase } from './support/database.ts';
import { TestServer } from './support/server-process.ts';

t.test('a shard that dies is replaced, its machines come back and nothing is lost', async (t) => {
  const home = await TestServer.make(t);
  const envoys = await home.provision(6);
  const server = await startServer({
    home: home.directory,
    overrides: [
      { source: 'test', path: 'server.grpc_listen', value: '127.0.0.1:0' },
      { source: 'test', path: 'server.api_listen', value: '127.0.0.1:0' },
      { source: 'test', path: 'runtime.shards', value: '2' },
      { source: 'test', path: 'log.level', value: 'error' },
    ],
  });
  for (const envoy of envoys) envoy.moveTo(server.grpcPort);
  const report = async () => {
    const done = await Promise.allSettled(envoys.map((envoy) => envoy.report()));
    return done.filter(({ status }) => status === 'fulfilled').length;
  };
  t.equal(await report(), 6);
  await server.kill('shard-0');
  const reached = new Set<number>();
  const back = async () => {
    for (const [index, envoy] of envoys.entries()) {
      // Whatever the shard had acknowledged is still there: the next report is the second one.
      const answer = await envoy.report({ reportSequence: 2 }).catch(() => undefined);
      if (answer?.durableReportSequence === 2) reached.add(index);
    }
    return reached.size === 6;
  };
  for (let round = 0; round < 200 && !(await back()); round++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.equal(reached.size, 6, 'all machines are served again');
  const database = new TestDatabase(home.home.layout.database);
  t.ok(await eventually(() => database.auditTypes().includes('server.thread_replaced')));
  for (const envoy of envoys) envoy.close();
  await server.stop();
  for (const { envoyId } of envoys) t.same(database.reports().get(envoyId), [1, 2]);
});
