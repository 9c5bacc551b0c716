import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { decodeChecked } from '../../../agent/offline/checked-file.ts';
import { SignedBundle } from '../../../agent/protocol/gen/vigo/v1/bundle.ts';
import { filesStack, publish, TestAgent } from './agent-process.ts';
import { TestDatabase } from './database.ts';
import { TestServer } from './server-process.ts';

export const motd = '/etc/motd';

export function bundleFile(agent: TestAgent): string {
  return join(agent.stateDirectory, 'bundle');
}

/** What stands in the agent's cache, without the checksum around it. */
export function cached(agent: TestAgent): SignedBundle {
  const content = readFileSync(bundleFile(agent));
  const whole = decodeChecked(content);
  if (whole === undefined) throw new Error('the cache is not whole');
  return SignedBundle.decode(whole);
}

/** What agents reported and the audit log holds, as text. */
export function incidents(server: TestServer): string {
  const database = new TestDatabase(server.home.layout.database);
  return JSON.stringify(
    database.rows("SELECT details FROM audit_log WHERE type = 'agent.incident'"),
  );
}

/** An agent that has had version 1 and enforces version 2; its bundles of both. */
export async function twoVersions(t: Test) {
  const server = await TestServer.make(t, { shards: 1 });
  await server.start();
  const agent = new TestAgent(t);
  await publish(server, filesStack({ [motd]: 'old\n' }));
  await agent.enroll(server);
  t.equal((await agent.vigo('run')).code, 0);
  const first = cached(agent);
  await publish(server, filesStack({ [motd]: 'new\n' }));
  t.equal((await agent.vigo('run')).code, 0);
  t.equal(agent.read(motd), 'new\n');
  return { server, agent, first, second: cached(agent) };
}
