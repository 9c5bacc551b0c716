import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { createEngine } from '../../agent/converge/engine.ts';
import { fileType } from '../../agent/executors/cross/file.ts';
import { typeRegistry } from '../../agent/executors/registry.ts';
import { createNodePlatform } from '../../agent/platform/node-platform.ts';
import { fc } from '../support/property.ts';
import { bundle, module } from '../support/resource-bundle.ts';
import { SimulatedReportServer } from '../support/simulated-report-server.ts';
import { AgentFixture, policyDocument } from './support/agent-fixture.ts';
import { signedPolicy } from './support/fake-server-channel.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const changed = { id: 'main/it', action: 'updated', errorCode: '' } as const;
const broken = { id: 'main/it', action: 'failed', errorCode: 'AGENT_DISK_FULL' } as const;

/** An agent that holds version 5, valid for a day, or for ever. */
async function holding(maxAgeMs = dayMs): Promise<AgentFixture> {
  const fixture = await AgentFixture.start();
  const expiresAtMs = maxAgeMs === 0 ? 0 : fixture.nowMs + maxAgeMs;
  fixture.server.policy = signedPolicy(5, policyDocument(), { expiresAtMs });
  await fixture.cycle();
  return fixture;
}

t.test('without a server the policy is enforced until its age, or for ever', async (t) => {
  for (const [maxAgeMs, hours] of [
    [dayMs, 24],
    [0, 72],
  ] as const) {
    const fixture = await holding(maxAgeMs);
    fixture.server.away = true;
    for (let hour = 1; hour <= 72; hour++) await fixture.later(hourMs);
    // One pass while the server was there, then one an hour until the age is reached.
    t.equal(fixture.passes.length, maxAgeMs === 0 ? 1 + hours : hours);
  }
});

t.test('a clock that was set back silences nothing and loses nothing', async (t) => {
  const fixture = await holding();
  fixture.server.away = true;
  fixture.outcomes = [broken];
  await fixture.later(600_000);
  fixture.clockErrorMs = -365 * dayMs;
  fixture.server.settled = 1;
  for (let pass = 0; pass < 3; pass++) await fixture.later(600_000);
  t.equal(fixture.passes.length, 5, 'a bundle from the future is enforced');
  await fixture.restart();
  fixture.outcomes = [changed];
  await fixture.later(600_000);
  fixture.clockErrorMs = 0;
  fixture.server.away = false;
  await fixture.later(600_000);
  await fixture.later(600_000);
  const told = fixture.server.reports.map((report) => report.reportSequence);
  t.same(
    told,
    told.map((_, index) => index + 1),
  );
  const failures = fixture.server.reports.filter(({ summary }) => summary?.failed === 1);
  t.ok(failures.length >= 3, 'old trouble is told again, whatever the clock says');
});

t.test('a clock that runs ahead stops enforcement, says so, and its repair ends it', async (t) => {
  const fixture = await holding();
  fixture.server.away = true;
  fixture.clockErrorMs = 2 * dayMs;
  await fixture.later(600_000);
  t.equal(fixture.passes.length, 1);
  t.ok(fixture.lines.some((line) => line.includes('PROTOCOL_BUNDLE_EXPIRED')));
  fixture.clockErrorMs = 0;
  await fixture.later(600_000);
  t.equal(fixture.passes.length, 2, 'the bundle is still there');
  fixture.server.away = false;
  await fixture.later(600_000);
  const codes = fixture.server.reports.flatMap(({ incidents }) =>
    incidents.map(({ code }) => code),
  );
  t.same(codes, ['PROTOCOL_BUNDLE_EXPIRED'], 'told once');
});

t.test(
  'a server that refuses a wrong clock stops no pass, and hears all of it later',
  async (t) => {
    const fixture = await holding(0);
    fixture.outcomes = [changed];
    fixture.clockErrorMs = 3 * dayMs;
    await fixture.later(600_000);
    await fixture.later(600_000);
    t.equal(fixture.passes.length, 3);
    t.equal(fixture.server.reports.length, 1);
    fixture.clockErrorMs = 0;
    await fixture.later(600_000);
    t.same(
      fixture.server.reports.map(({ reportSequence }) => reportSequence),
      [1, 2, 3, 4, 5],
    );
  },
);

t.test('a laptop that slept past the age asks first, and goes on within an interval', async (t) => {
  const fixture = await holding();
  const delays: number[] = [];
  fixture.onSleep = (delayMs) => {
    delays.push(delayMs);
    fixture.nowMs += 2 * dayMs;
    fixture.suspendedMs += 2 * dayMs;
    const expiresAtMs = fixture.nowMs + dayMs;
    fixture.server.policy = signedPolicy(5, policyDocument(), { expiresAtMs });
    if (delays.length === 3) fixture.stop.abort();
  };
  await fixture.daemon.run(fixture.stop.signal);
  t.equal(fixture.passes.length, 3, 'one before, one after each sleep');
  t.ok(delays.every((delay) => delay <= 10_000));
  const codes = fixture.server.reports.flatMap(({ incidents }) => incidents);
  t.same(codes, [], 'a bundle that is renewed in time is no incident');
});

t.test('a server restored from a backup rolls no node back, and loses no new result', async (t) => {
  const fixture = await AgentFixture.start();
  const server = new SimulatedReportServer(fixture.server);
  fixture.channel = server;
  await fixture.restart();
  fixture.outcomes = [changed];
  for (const version of [3, 4, 5]) {
    fixture.server.policy = signedPolicy(version, policyDocument(String(version)));
    await fixture.later();
  }
  await fixture.later();
  const before = server.database.length;
  server.restoreBackup(1);
  fixture.server.policy = signedPolicy(3, policyDocument('3'));
  for (let pass = 0; pass < 4; pass++) await fixture.later();
  const enforced = fixture.passes.at(-1)?.document.modules[0]?.resources[0]?.parameters.text;
  t.equal(enforced, '5', 'an older version is refused, the newer one stays in force');
  const codes = server.database.flatMap(({ incidents }) => incidents.map(({ code }) => code));
  t.ok(codes.includes('PROTOCOL_BUNDLE_ROLLBACK'), 'and the server hears why');
  const sequences = server.database.map(({ reportSequence }) => reportSequence);
  t.ok(sequences.length > 3);
  t.same(
    sequences,
    [...new Set(sequences)].sort((a, b) => a - b),
  );
  t.ok(sequences.at(-1)! > before, 'the numbering goes on');
  fixture.server.policy = signedPolicy(6, policyDocument('6'));
  await fixture.later();
  await fixture.later();
  t.equal(fixture.passes.at(-1)?.document.modules[0]?.resources[0]?.parameters.text, '6');
});

t.test('whatever state file a crash cut short, the agent starts and enforces', async () => {
  const fixture = await holding(0);
  fixture.server.away = true;
  fixture.outcomes = [changed];
  await fixture.later();
  fixture.server.away = false;
  const whole = new Map(fixture.files.content);
  const names = [...whole.keys()];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.double({ min: 0, max: 1 }),
      async (name, part) => {
        fixture.files.content.clear();
        for (const [one, content] of whole) fixture.files.content.set(one, content);
        const content = whole.get(name)!;
        const cut = Number.isNaN(part) ? 0 : Math.floor(part * content.length);
        fixture.files.content.set(name, content.slice(0, cut));
        await fixture.restart();
        const before = fixture.passes.length;
        await fixture.later();
        return fixture.passes.length === before + 1;
      },
    ),
    { numRuns: 60 },
  );
});

t.test('a secret that is not known offline blocks its resource; nothing is written', async (t) => {
  const root = mkdtempSync(`${tmpdir()}/vigo-secret-`);
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const fixture = await AgentFixture.start();
  const file = (name: string, content: string) => {
    return { name, type: 'file', parameters: { target_path: `/${name}`, content } };
  };
  const document = bundle([
    module('main', [
      file('token', 'key secret:app/token\n'),
      { ...file('user', 'x'), dependsOn: ['token'] },
      file('motd', 'hello\n'),
      file('old', 'new secret:app/token\n'),
    ]),
  ]);
  fixture.server.policy = signedPolicy(1, document);
  await fixture.cycle();
  fixture.engine = createEngine({
    platform: createNodePlatform({ root }),
    registry: typeRegistry([fileType]),
  });
  writeFileSync(`${root}/old`, 'before\n');
  fixture.server.away = true;
  await fixture.restart();
  await fixture.later();
  t.notOk(existsSync(`${root}/token`));
  t.notOk(existsSync(`${root}/user`), 'what depends on it waits');
  t.equal(readFileSync(`${root}/old`, 'utf8'), 'before\n', 'what was there stays');
  t.equal(readFileSync(`${root}/motd`, 'utf8'), 'hello\n', 'the others are enforced');
  fixture.server.away = false;
  await fixture.agent.drain(fixture.agent.newTrace());
  const told = fixture.server.reports.at(-1)?.results.map(({ id, errorCode }) => [id, errorCode]);
  t.same(told, [
    ['main/token', 'AGENT_SECRETS_UNAVAILABLE'],
    ['main/user', 'AGENT_DEPENDENCY_FAILED'],
    ['main/motd', ''],
    ['main/old', 'AGENT_SECRETS_UNAVAILABLE'],
  ]);
});
