import { rmSync } from 'node:fs';
import t from 'tap';
import { filesStack, publish, TestAgent } from './support/agent-process.ts';
import { converged } from './support/converged.ts';
import { eventually } from './support/database.ts';

// Mostly waiting: for passes, and for an agent that backs off.
t.setTimeout(180_000);
t.jobs = 3;

for (const how of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`the state directory may be deleted after ${how}`, { buffered: true }, async (t) => {
    const { server, agent, runs, database } = await converged(t);
    const others = [new TestAgent(t, 'web-2'), new TestAgent(t, 'web-3')];
    for (const other of others) {
      await other.enroll(server);
      other.start();
    }
    const all = [agent, ...others];
    const reported = () => database.reports();
    t.ok(await eventually(() => all.every(({ envoyId }) => reported().has(envoyId))));
    t.ok(await agent.repairs('/etc/issue'));
    await server.signal(how);
    const acknowledged = runs().length;
    for (const one of all) t.ok(await one.repairs('/etc/motd'));
    rmSync(server.home.layout.stateDirectory, { recursive: true });
    const restartedAtMs = Date.now();
    await server.start();

    const query = 'SELECT count(*) AS n FROM envoys WHERE last_seen_ms >= ? AND policy_version = 1';
    const seen = () => database.rows<{ n: number }>(query, restartedAtMs)[0]?.n;
    t.ok(await eventually(() => seen() === 3, 60_000), 'all check in, under the same policy');
    t.ok(await eventually(() => runs().length > acknowledged), 'what was not settled arrives');
    for (const one of all)
      t.ok(await eventually(() => reported().get(one.envoyId)!.length >= 2), 'from each of them');
    for (const sequences of reported().values())
      t.same(
        sequences,
        sequences.map((_, index) => index + 1),
        'nothing lost, nothing doubled',
      );
    t.ok(await publish(server, filesStack({ '/etc/motd': 'after\n' })), 'publish works');
    t.ok(await eventually(() => others[0]!.read('/etc/motd') === 'after\n'), 'and is enforced');
    for (const one of all) await one.end('SIGKILL');
    await server.signal('SIGTERM');
    await database.verifyAudit();
  });
}
