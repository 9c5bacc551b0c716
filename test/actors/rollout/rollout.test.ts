import t from 'tap';
import type { PublishRequest } from '../../../actors/publish/messages.ts';
import {
  intervalMs,
  one,
  type PublishFleet,
  publishFleet,
  withContent,
} from '../publish/publish-fleet.ts';

const converged = 1;
const failed = 4;
const bob = 'admin:bob';
const order = { by: bob, reason: 'because' };
const hosts = Array.from({ length: 20 }, (_, index) => `web-${index}`);

/** Twenty hosts on version 1, and version 2 on its way. */
async function rollingOut(rollout: PublishRequest['rollout']): Promise<PublishFleet> {
  const it = await publishFleet();
  await it.addAll(hosts.map((host) => ({ envoyId: host, hostname: host, revoked: false })));
  await it.stack(one);
  await it.publish();
  await pass(it, () => converged);
  await it.stack(withContent('b'));
  await it.publish({ rollout: { observeMs: 3 * intervalMs, ...rollout } });
  return it;
}

/** Every host checks in once, and an interval goes by. */
async function pass(it: PublishFleet, state: (host: string) => number | undefined): Promise<void> {
  for (const host of hosts) {
    const answer = state(host);
    if (answer !== undefined) it.checkIn(host, answer);
  }
  await it.simulation.run(intervalMs);
}

const reached = (it: PublishFleet) => hosts.filter((host) => it.content(host) === 'b');
const status = async (it: PublishFleet) => (await it.rollout('status', {}))?.status;

t.test('stages reach the share that they name, and the rest keeps its policy', async (t) => {
  const it = await rollingOut({ stages: ['5%', '25%'] });
  t.equal(it.version(), 2, 'the version number is the new one for everybody');
  const seen = [reached(it).length];
  for (let round = 0; round < 30 && (await status(it)) === 'watching'; round++) {
    await pass(it, () => converged);
    const count = reached(it).length;
    if (count !== seen.at(-1)) seen.push(count);
  }
  t.same(seen, [1, 5, 20]);
  t.match(await it.rollout('status', {}), { status: 'completed', version: 2, stage: 2 });
  t.same(
    it.auditTypes().filter((type) => type.startsWith('rollout.')),
    [
      ...['rollout.started', 'rollout.stage_started'],
      ...['rollout.stage_passed', 'rollout.stage_started'],
      ...['rollout.stage_passed', 'rollout.stage_started'],
      ...['rollout.stage_passed', 'rollout.completed'],
    ],
  );
  await it.stack(withContent('c'));
  t.match(await it.publish(), { version: 3 }, 'the next one may come');
});

t.test('too many failures bring the last good version back, from whatever stage', async (t) => {
  for (const stages of [[], ['25%'], ['web-1*']]) {
    const it = await rollingOut({ stages, threshold: 0.2 });
    const broken = new Set(reached(it).slice(0, Math.ceil(reached(it).length / 3)));
    await pass(it, (host) => (broken.has(host) ? failed : converged));
    await it.simulation.run(2 * intervalMs);
    t.equal(reached(it).length, 0, 'nobody has it any more');
    t.equal(it.version(), 3);
    t.match(await it.query('status', {}), {
      origin: { kind: 'automatic-rollback', of: 1 },
      rollout: { status: 'rolled-back' },
    });
  }
});

t.test('machines that failed before, or are switched off, are not its fault', async (t) => {
  const it = await publishFleet();
  await it.addAll(hosts.map((host) => ({ envoyId: host, hostname: host, revoked: false })));
  await it.stack(one);
  await it.publish();
  const health = (host: string) =>
    ({ 'web-1': failed, 'web-2': failed, 'web-3': undefined, 'web-4': undefined })[host] ??
    (host === 'web-3' || host === 'web-4' ? undefined : converged);
  await pass(it, health);
  await it.stack(withContent('b'));
  await it.publish({ rollout: { observeMs: 2000, threshold: 0 } });
  for (let round = 0; round < 6; round++) await pass(it, health);
  t.equal(await status(it), 'completed');
});

t.test('an envoy that takes the policy and falls silent counts as failing', async (t) => {
  const it = await rollingOut({ stages: ['web-7'], observeMs: 20_000 });
  await pass(it, () => converged);
  // It was handed the policy and never said what came of it.
  const record = it.records.get('web-7')!.copy();
  record.setAgentRoot(new Uint8Array(32));
  it.records.set('web-7', record);
  for (let round = 0; round < 8; round++) {
    await pass(it, (host) => (host === 'web-7' ? undefined : converged));
  }
  t.match(await it.query('status', {}), {
    rollout: { status: 'rolled-back', reason: /1 of them silent/ },
  });
});

t.test('a fleet that falls below the least converged share is stopped', async (t) => {
  const it = await rollingOut({ stages: ['5%'], leastConverged: 0.9, threshold: 1 });
  const others = hosts.filter((host) => !reached(it).includes(host)).slice(0, 4);
  await pass(it, (host) => (others.includes(host) ? failed : converged));
  await it.simulation.run(2 * intervalMs);
  t.equal(await status(it), 'rolled-back');
});

t.test('a person pauses, resumes, aborts and finishes', async (t) => {
  const it = await rollingOut({ stages: ['5%'] });
  t.match(await it.rollout('pause', order), { status: 'paused', reason: 'because' });
  for (let round = 0; round < 10; round++) await pass(it, () => converged);
  t.equal(reached(it).length, 1, 'it waits');
  t.match(await it.rollout('resume', order), { status: 'watching' });
  await it.stack(withContent('c'));
  await t.rejects(it.publish(), { code: 'PUBLISH_ROLLOUT_ACTIVE' });
  t.match(await it.rollout('finish', order), { status: 'ended' });
  t.equal(reached(it).length, 20);
  await t.rejects(it.rollout('abort', order), { code: 'ROLLOUT_NONE' });

  const other = await rollingOut({ stages: ['5%'] });
  t.match(await other.rollout('abort', order), { status: 'ended' });
  t.equal(reached(other).length, 0);
  t.match(await other.query('status', {}), { version: 3, origin: { kind: 'rollback', of: 1 } });
});

t.test('on_failure: pause holds what it has and asks', async (t) => {
  const it = await rollingOut({ stages: ['25%'], onFailure: 'pause' });
  await pass(it, (host) => (reached(it).includes(host) ? failed : converged));
  await it.simulation.run(2 * intervalMs);
  t.match(await it.rollout('status', {}), {
    status: 'paused',
    reason: '5 of 5 envoys fail',
    health: { failing: 5, reached: 5 },
  });
  t.equal(reached(it).length, 5);
  t.ok(it.auditTypes().includes('rollout.stopped'));
});

t.test('a freeze holds the next stage back, and not the way back', async (t) => {
  const it = await rollingOut({ stages: ['25%'] });
  await it.ask('freeze', { reason: 'the fair', by: bob });
  for (let round = 0; round < 6; round++) await pass(it, () => converged);
  t.equal(reached(it).length, 5);
  await pass(it, (host) => (reached(it).includes(host) ? failed : converged));
  await it.simulation.run(2 * intervalMs);
  t.equal(reached(it).length, 0);
});

t.test('a stage of nobody, or of machines that are all off, asks a person', async (t) => {
  const nobody = await rollingOut({ stages: ['mail-*'] });
  for (let round = 0; round < 5; round++) await pass(nobody, () => converged);
  t.match(await nobody.rollout('status', {}), { status: 'paused', reason: /reaches no envoy/ });

  const off = await rollingOut({ stages: ['web-3'] });
  off.records.delete('web-3');
  for (let round = 0; round < 5; round++) {
    await pass(off, (host) => (host === 'web-3' ? undefined : converged));
  }
  t.match(await off.rollout('status', {}), { status: 'paused', reason: /has reported/ });
});

t.test('a disk that fails just then delays the way back and does not end it', async (t) => {
  for (let nth = 1; nth <= 6; nth++) {
    const it = await rollingOut({ stages: ['25%'] });
    const broken = new Set(reached(it));
    for (const host of hosts) it.checkIn(host, broken.has(host) ? failed : converged);
    it.simulation.disk.failNth = nth;
    await it.simulation.run(3 * intervalMs);
    it.simulation.disk.failNth = 0;
    await it.simulation.run(3 * intervalMs);
    t.equal(reached(it).length, 0, `operation ${nth} failed`);
    t.match(await it.query('status', {}), { rollout: { status: 'rolled-back' } });
  }
});

t.test('it goes on after everything was lost but the home', async (t) => {
  const it = await rollingOut({ stages: ['25%'] });
  const before = reached(it);
  await it.simulation.powerLoss();
  await it.ask('recover', {});
  t.same(reached(it), before, 'the same machines');
  for (let round = 0; round < 5; round++) await pass(it, () => converged);
  t.equal(reached(it).length, 20, 'and the next stage comes');
});
