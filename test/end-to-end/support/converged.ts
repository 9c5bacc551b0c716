import type { Test } from 'tap';
import { freePort } from '../../../admin/demo/free-port.ts';
import { filesStack, publish, TestAgent } from './agent-process.ts';
import { eventually, TestDatabase } from './database.ts';
import { TestServer } from './server-process.ts';

export interface RunRecord {
  readonly report_sequence: number;
  readonly offline: number;
  readonly started_at_ms: number;
}

export interface Converged {
  readonly server: TestServer;
  readonly agent: TestAgent;
  readonly database: TestDatabase;
  readonly runs: () => RunRecord[];
}

/** A server and an agent whose files are as declared and whose reports are all settled. */
export async function converged(t: Test): Promise<Converged> {
  const server = await TestServer.make(t, { interval: '1s', grpcPort: await freePort(0) });
  const agent = new TestAgent(t);
  await server.start();
  await publish(server, filesStack({ '/etc/motd': 'hello\n', '/etc/issue': 'welcome\n' }));
  await agent.enroll(server);
  agent.start();
  t.ok(await eventually(() => agent.read('/etc/motd') === 'hello\n'), 'converges');
  const database = new TestDatabase(server.home.layout.database);
  const query =
    'SELECT report_sequence, offline, started_at_ms FROM runs WHERE envoy_id = ? ORDER BY rowid';
  const runs = () => database.rows<RunRecord>(query, agent.envoyId);
  t.ok(await eventually(() => runs().length >= 1));
  return { server, agent, database, runs };
}
