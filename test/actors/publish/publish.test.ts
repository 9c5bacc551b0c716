import t from 'tap';
import type { Diagnostic } from '../../../actors/publish/messages.ts';
import { copyLive, one, publishFleet, withContent } from './publish-fleet.ts';

t.test('a published stack reaches the envoys that it is for', async (t) => {
  const it = await publishFleet();
  await it.add('a', 'web-1');
  await it.add('b', 'web-2');
  await it.add('c', 'db-1');
  await it.add('d', 'web-3', true);
  await it.stack(one);
  const result = await it.publish({ message: 'first' });
  t.match(result, { version: 1, changed: true, changedEnvoys: 3, totalEnvoys: 3, bundles: 2 });
  t.equal(it.version(), 1);
  t.same(it.modules('a'), ['web']);
  t.same(it.modules('c'), [], 'no entry matches: nothing is enforced');
  t.equal(it.modules('d'), undefined, 'revoked');
  t.same(it.auditTypes(), ['policy.publish_started', 'policy.published']);
  t.match(it.written[1]?.records, [
    { record: 'policyVersion', version: 1, message: 'first', counts: { changedEnvoys: 3 } },
  ]);
  t.match(it.written[1]?.audit[0], { type: 'policy.published', actor: 'admin:ann' });
});

t.test('publishing the same files again makes no version', async (t) => {
  const it = await publishFleet();
  await it.add('a', 'web-1');
  await it.stack(one);
  await it.publish();
  t.match(await it.publish(), { version: 1, changed: false, changedEnvoys: 0 });
  t.equal(it.written.length, 2);
  await it.stack(withContent('b'));
  t.match(await it.publish(), { version: 2, changed: true, changedEnvoys: 1 });
});

t.test('a server restored from a backup publishes above what its envoys hold', async (t) => {
  const fleet = await publishFleet();
  await fleet.stack(one);
  t.match(await fleet.publish(), { version: 1 });
  fleet.reported.push(40, 3_000_000);
  t.match(await fleet.publish(), { version: 41, changed: true }, 'although the stack is the same');
  fleet.reported.push(41);
  t.match(await fleet.publish(), { version: 41, changed: false }, 'once; nonsense is not believed');
});

t.test('a stack with mistakes changes nothing and says where they are', async (t) => {
  const it = await publishFleet();
  await it.add('a', 'web-1');
  await it.stack(one);
  await it.publish();
  await it.stack({ ...one, 'modules/bad.vgo': 'name: bad\nresources:\n  - {type: fiel}\n' });
  const error = await it.publish().then(
    () => undefined,
    (cause: unknown) => cause as { code: string; details: { diagnostics: string } },
  );
  t.equal(error?.code, 'PUBLISH_INVALID');
  const diagnostics = JSON.parse(error!.details.diagnostics) as Diagnostic[];
  t.match(diagnostics, [{ code: 'PUBLISH_UNKNOWN_TYPE', suggestion: 'file', line: 3 }]);
  t.equal(it.version(), 1);
  t.same(it.modules('a'), ['web']);
  t.equal(it.auditTypes().at(-1), 'policy.refused');
});

t.test('a new envoy gets the policy in force', async (t) => {
  const it = await publishFleet();
  await it.ask('assign', { envoyId: 'a', hostname: 'web-1' });
  t.equal(it.modules('a'), undefined, 'nothing published yet');
  await it.stack(one);
  await it.publish();
  await it.ask('assign', { envoyId: 'b', hostname: 'WEB-2' });
  t.same(it.modules('b'), ['web']);
});

t.test('after the store was lost, the live policy is in force again', async (t) => {
  const it = await publishFleet();
  await it.stack(one);
  await it.publish();
  t.match(await it.ask('recover', {}), { version: 1, rebuilt: false });
  const next = await publishFleet();
  await next.add('a', 'web-1');
  await copyLive(it, next);
  t.match(await next.ask('recover', {}), { version: 1, rebuilt: true });
  t.equal(next.version(), 1);
  t.same(next.modules('a'), ['web']);
});

t.test(
  'whatever write fails, the previous policy stays in force and the next publish works',
  async (t) => {
    let failures = 0;
    for (let nth = 1; ; nth += 1) {
      const it = await publishFleet();
      await it.add('a', 'web-1');
      await it.stack(one);
      await it.publish();
      const before = it.root('a');
      await it.stack(withContent('b'));
      it.simulation.disk.failNth = nth;
      const failed = await it.publish().then(
        () => false,
        (error: unknown) => {
          t.match(error, { code: /^PUBLISH_(DISK|INVALID)$/ }, `failure ${nth} is coded`);
          return true;
        },
      );
      const unused = it.simulation.disk.failNth;
      it.simulation.disk.failNth = 0;
      if (failed) {
        failures += 1;
        t.equal(it.content('a'), 'a');
        t.equal(it.version(), 1);
        t.same(it.root('a'), before);
        if (nth % 2 === 0) await it.simulation.powerLoss();
        t.match(await it.ask('recover', {}), { version: 1 });
        const { version } = await it.publish();
        t.ok(version > 1);
        t.equal(it.version(), version);
      } else if (unused > 0) {
        t.equal(it.version(), 2);
        t.ok(failures > 8, `${failures} points of failure`);
        break;
      }
    }
  },
);

t.test('a damaged live copy is refused, and repaired by the next publish', async (t) => {
  for (const damage of ['version.json', 'reserved.json', 'file']) {
    const it = await publishFleet();
    await it.stack(one);
    await it.publish();
    const next = await publishFleet();
    await copyLive(it, next);
    await next.add('a', 'web-1');
    const { disk } = next.simulation;
    const [file] = await disk.list('/home/.live/files');
    const path = damage === 'file' ? `files/${file}` : damage;
    await disk.writeDurable(`/home/.live/${path}`, new TextEncoder().encode('{'));
    if (damage !== 'reserved.json') {
      await t.rejects(next.ask('recover', {}), { code: 'PUBLISH_LIVE_DAMAGED' }, damage);
    }
    await next.stack(one);
    const whole = damage === 'reserved.json';
    t.match(await next.publish(), { version: whole ? 1 : 2, changed: !whole }, damage);
    t.same(next.modules('a'), ['web']);
  }
});

t.test('without the sink nothing is published', async (t) => {
  const it = await publishFleet();
  await it.stack(one);
  it.sinkFails = true;
  await t.rejects(it.publish());
  t.equal(it.version(), 0);
  it.sinkFails = false;
  t.match(await it.publish(), { changed: true });
});

t.test('a fleet larger than one turn can write is published whole', async (t) => {
  const it = await publishFleet();
  const ids = Array.from({ length: 5200 }, (_, index) => `envoy-${String(index).padStart(5, '0')}`);
  const rows = ids.map((envoyId) => ({ envoyId, hostname: 'web-1', revoked: false }));
  await it.addAll(rows);
  await it.stack(one);
  t.match(await it.publish(), { changedEnvoys: 5200 });
  t.same(it.modules(ids[5199]!), ['web']);
});

t.test('power lost at any moment of a publish leaves the old version or the new one', async (t) => {
  const seen = new Set<number>();
  for (let afterMs = 0; afterMs <= 20; afterMs++) {
    const it = await publishFleet();
    await it.add('a', 'web-1');
    await it.stack(one);
    await it.publish();
    await it.stack(withContent('b'));
    await it.crashWhilePublishing(afterMs);
    const version = it.version();
    seen.add(version);
    t.equal(it.content('a'), version === 1 ? 'a' : 'b', `after ${afterMs} ms version ${version}`);
    await it.stack(withContent('c'));
    const next = await it.publish();
    t.ok(next.version > version);
    t.equal(it.content('a'), 'c');
  }
  t.same([...seen].sort(), [1, 2], 'both were seen');
});
