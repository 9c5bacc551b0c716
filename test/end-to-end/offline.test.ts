import { rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { TestAgent } from './support/agent-process.ts';
import { converged, type RunRecord } from './support/converged.ts';
import { eventually } from './support/database.ts';

// Mostly waiting: for passes, and for an agent that backs off.
t.setTimeout(180_000);
t.jobs = 3;

/** Three repairs while nobody answers: three results that wait. */
async function repairThrice(t: Test, agent: TestAgent): Promise<void> {
  for (const path of ['/etc/motd', '/etc/issue', '/etc/motd'])
    t.ok(await agent.repairs(path), `${path} comes back without a server`);
}

/** Every report once and in order, and those of the time alone are marked. */
function checkRuns(t: Test, runs: readonly RunRecord[], before: number): void {
  const sequences = runs.map(({ report_sequence }) => report_sequence);
  t.same(
    sequences,
    runs.map((_, index) => index + 1),
    'each once, none missing, in order',
  );
  const alone = runs.filter(({ offline }) => offline === 1);
  t.ok(alone.length >= 3, `${alone.length} results were made without the server`);
  // A pass that had checked in before the server ended may still repair after it: one, and online.
  const first = runs.findIndex(({ offline }) => offline === 1);
  t.ok(first === before || first === before + 1, 'the first new ones are of the time alone');
  t.ok(
    runs.slice(first, first + alone.length).every(({ offline }) => offline === 1),
    'no report in the midst of them claims that the server answered',
  );
  const times = runs.map(({ started_at_ms }) => started_at_ms);
  t.same(
    times,
    [...times].sort((a, b) => a - b),
  );
}

for (const how of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(
    `an agent whose server ended by ${how} goes on, and tells all of it later`,
    { buffered: true },
    async (t) => {
      const { server, agent, runs, database } = await converged(t);
      const before = runs().length;
      await server.signal(how);
      await repairThrice(t, agent);
      await server.start();
      t.ok(await eventually(() => runs().length >= before + 3, 60_000), 'the results arrive');
      t.ok(await agent.repairs('/etc/motd'));
      t.ok(await eventually(() => runs().at(-1)?.offline === 0), 'and the next one is not offline');
      checkRuns(t, runs(), before);
      t.equal(await agent.end('SIGTERM'), 0);
      await server.signal('SIGTERM');
      await database.verifyAudit();
    },
  );
}

t.test(
  'results survive an agent that is killed while it is alone',
  { buffered: true },
  async (t) => {
    const { server, agent, runs } = await converged(t);
    const before = runs().length;
    await server.signal('SIGTERM');
    await repairThrice(t, agent);
    await agent.end('SIGKILL');
    const alone = await agent.status();
    t.ok(alone.pendingResults >= 3, `${alone.pendingResults} results wait on disk`);
    rmSync(agent.at('/etc/motd'));
    agent.start();
    t.ok(
      await eventually(() => agent.read('/etc/motd') === 'hello\n'),
      'a restarted agent enforces the cached policy without a server',
    );
    await server.start();
    t.ok(await eventually(() => runs().length >= before + 4, 60_000), 'the results arrive');
    checkRuns(t, runs(), before);
  },
);
