import t from 'tap';
import { parseFreezeWindow } from '../../../actors/publish/freeze.ts';
import { keepVersion, keptVersionLimit } from '../../../actors/publish/state.ts';
import { one, type PublishFleet, publishFleet, tables, withContent } from './publish-fleet.ts';

const bob = 'admin:bob';

async function published(settings: Parameters<typeof publishFleet>[0] = {}): Promise<PublishFleet> {
  const it = await publishFleet(settings);
  await it.add('a', 'web-1');
  await it.add('b', 'db-1');
  await it.stack(one);
  await it.publish({ message: 'first' });
  return it;
}

t.test('a rollback is a new version with the old stack, and can be rolled back', async (t) => {
  const it = await published();
  await t.rejects(it.ask('rollback', { message: '', by: bob }), { code: 'PUBLISH_NO_PREVIOUS' });
  await it.stack(withContent('b'));
  await it.publish();
  t.equal(it.content('a'), 'b');
  const back = await it.ask('rollback', { message: 'no good', by: bob });
  t.match(back, { version: 3, changed: true, changedEnvoys: 1 });
  t.equal(it.content('a'), 'a');
  t.match(await it.query('status', {}), {
    version: 3,
    publishedBy: bob,
    origin: { kind: 'rollback', of: 1 },
  });
  t.match(await it.ask('rollback', { message: 'it was good', by: bob }), { version: 4 });
  t.equal(it.content('a'), 'b');
  t.match(await it.ask('rollback', { version: 1, message: 'by number', by: bob }), { version: 5 });
  t.equal(it.content('a'), 'a');
  await t.rejects(it.ask('rollback', { version: 99, message: '', by: bob }), {
    code: 'PUBLISH_VERSION_UNKNOWN',
  });
  await it.stack(withContent('c'));
  t.match(await it.publish(), { version: 6 });
  t.match(await it.ask('rollback', { version: 2, message: 'far back', by: bob }), { version: 7 });
  t.equal(it.content('a'), 'b', 'a stack that has to be compiled again');
  t.same(it.auditTypes().filter((type) => type === 'policy.rolled_back').length, 4);
});

t.test('a machine that changes its group comes back into the old one', async (t) => {
  const it = await published();
  await it.stack({
    ...withContent('b'),
    'a.vgo': 'envoys:\n  - {match: "web-1", modules: []}\n  - {match: "db-*", modules: [web]}\n',
  });
  await it.publish();
  t.same([it.modules('a'), it.modules('b')], [[], ['web']]);
  await it.ask('rollback', { message: '', by: bob });
  t.same([it.content('a'), it.modules('b')], ['a', []]);
  await it.stack(withContent('c'));
  await it.publish();
  t.same([it.content('a'), it.modules('b')], ['c', []]);
});

t.test('of two who publish at once, the second one is told', async (t) => {
  const it = await published();
  await it.stack(withContent('b'));
  await it.publish({ expectedVersion: 1 });
  await it.stack(withContent('c'));
  await t.rejects(it.publish({ expectedVersion: 1 }), {
    code: 'PUBLISH_VERSION_MOVED',
    details: { live: 2, expected: 1 },
  });
  await t.rejects(it.publish({ contentHash: 'ff' }), { code: 'PUBLISH_STACK_CHANGED' });
  t.equal(it.content('a'), 'b');
});

t.test('a freeze refuses publishing, allows going back, and survives a restart', async (t) => {
  const it = await published();
  await it.stack(withContent('b'));
  await it.publish();
  await it.stack(withContent('c'));
  await it.ask('freeze', { untilMs: it.nowMs + 3_600_000, reason: 'the fair', by: bob });
  const frozen = { code: 'PUBLISH_FROZEN', details: { reason: 'the fair', by: bob } };
  await t.rejects(it.publish(), frozen);
  await it.simulation.powerLoss();
  await t.rejects(it.publish(), frozen, 'still');
  t.match(await it.ask('rollback', { message: '', by: bob }), { version: 3 });
  t.match(await it.ask('unfreeze', { reason: 'over', by: bob }), { wasFrozen: true });
  t.match(await it.publish(), { version: 4 });
  await it.ask('freeze', { untilMs: it.nowMs + 60_000, reason: 'short', by: bob });
  await it.simulation.run(61_000);
  await it.stack(one);
  t.match(await it.publish(), { version: 5 }, 'it ends by itself');
  await t.rejects(it.ask('freeze', { untilMs: 1, reason: '', by: bob }), {
    code: 'PUBLISH_BAD_REQUEST',
  });
  t.same(
    it.auditTypes().filter((type) => /frozen/.test(type)),
    ['policy.frozen', 'policy.unfrozen', 'policy.frozen'],
  );
});

t.test('a freeze window of server.yaml can be lifted once', async (t) => {
  // The simulation begins on Thursday, 1 January 2026.
  const window = parseFreezeWindow('Wed 22:00-Fri 06:00');
  const it = await publishFleet({ freezeWindows: [window!] });
  await it.stack(one);
  await t.rejects(it.publish(), {
    code: 'PUBLISH_FROZEN',
    details: { by: 'server.yaml', until: '2026-01-02T06:00:00.000Z' },
  });
  await it.ask('unfreeze', { reason: 'urgent', by: bob });
  t.match(await it.publish(), { version: 1 });
});

t.test('with approval a second administrator decides on exactly those bytes', async (t) => {
  const it = await publishFleet({ approvalRequired: true });
  await it.add('a', 'web-1');
  await it.stack(one);
  const { candidate, version } = await it.publish({ message: 'first' });
  t.match(candidate, { author: 'admin:ann', baseVersion: 0, counts: { changedEnvoys: 1 } });
  t.equal(version, 0);
  t.equal(it.version(), 0, 'nothing is live');
  const { contentHash } = candidate!;
  const yes = { contentHash, reason: 'looks right' };
  await t.rejects(it.ask('approve', { ...yes, by: 'admin:ann' }), {
    code: 'PUBLISH_OWN_CANDIDATE',
  });
  // An edit after publish is not what was approved.
  await it.stack(withContent('edited'));
  t.match(await it.ask('approve', { ...yes, by: bob }), { version: 1, changed: true });
  t.equal(it.content('a'), 'a');
  t.match(it.written.at(-1)?.records, [
    { publishedBy: 'admin:ann', approval: { by: bob, reason: 'looks right' } },
  ]);
  await t.rejects(it.ask('approve', { ...yes, by: bob }), { code: 'PUBLISH_CANDIDATE_NONE' });

  const second = await it.publish({ message: 'second' });
  await t.rejects(it.ask('approve', { ...yes, by: bob }), { code: 'PUBLISH_CANDIDATE_OTHER' });
  const no = { contentHash: second.contentHash, by: bob, reason: 'not now' };
  t.match(await it.ask('reject', no), { author: 'admin:ann' });
  t.equal((await it.query('status', {})).candidate, undefined);
  const { disk } = it.simulation;
  t.same((await disk.list('/home/.live/stacks')).length, 1, 'its files are gone');
  t.equal((await it.query('files', { of: 1 })).files.length, 2, 'those of the live one are not');

  const third = await it.publish({ message: 'third' });
  await it.simulation.run(86_400_001);
  await t.rejects(it.ask('approve', { ...no, contentHash: third.contentHash }), {
    code: 'PUBLISH_CANDIDATE_EXPIRED',
  });
  t.equal(it.content('a'), 'a');
  t.same(
    it.auditTypes().filter((type) => type.startsWith('candidate.')),
    [
      ...['candidate.created', 'candidate.refused', 'candidate.approved', 'candidate.refused'],
      ...['candidate.created', 'candidate.refused', 'candidate.rejected'],
      ...['candidate.created', 'candidate.refused'],
    ],
  );
});

t.test('what is asked about versions: differences and files', async (t) => {
  const it = await published();
  await it.stack({
    ...withContent('b'),
    'modules/new.vgo': 'name: new\nresources:\n  - {type: file, target_path: /etc/n, content: n}\n',
    'site.vgo': 'envoys:\n  - {match: "web-*", modules: [web, new]}\n',
  });
  const coming = await it.query('diff', {});
  t.match(coming, { from: { name: 'live' }, to: { name: 'stack' }, truncated: false });
  t.same(
    coming.files.map(({ path, change }) => `${change} ${path}`),
    ['added modules/new.vgo', 'changed modules/web.vgo', 'changed site.vgo'],
  );
  t.match(coming.files[1]?.diff, /-.*content: a\}\n\+.*content: b\}/);
  t.equal(coming.groups.length, 1);
  t.match(coming.groups[0], { match: ['web-*'], envoys: 1, hostnames: ['web-1'] });
  t.same(
    coming.groups[0]?.resources.map(({ change, type }) => `${change} ${type}`),
    ['changed file', 'added file'],
  );
  await it.publish();
  const past = await it.query('diff', { from: 2, to: 1 });
  t.equal(past.groups[0]?.resources.at(-1)?.change, 'removed');
  const { files } = await it.query('files', { of: 1 });
  t.same(Object.fromEntries(files.map(({ path, text }) => [path, text])), one);
  await t.rejects(it.query('files', { of: 9 }), { code: 'PUBLISH_VERSION_UNKNOWN' });
  await t.rejects(it.query('publish', { message: '', by: bob }), { code: 'PUBLISH_BAD_REQUEST' });
});

t.test('history and audit follow, when the database comes back', async (t) => {
  const it = await published();
  await it.stack(withContent('b'));
  await it.publish();
  it.sinkFails = true;
  await it.stack(withContent('c'));
  await t.rejects(it.publish(), 'nothing new comes into force unaudited');
  t.match(await it.ask('rollback', { message: 'works without', by: bob }), { version: 4 });
  t.equal(it.content('a'), 'a');
  const before = it.written.length;
  await it.simulation.powerLoss();
  it.sinkFails = false;
  await it.simulation.run(60_000);
  const written = it.written.slice(before);
  t.match(written[0]?.records.at(-1), { record: 'policyVersion', version: 4 });
  t.same(written.length, 1, 'once');
});

t.test('what no version needs any more goes away', async (t) => {
  const it = await published();
  for (let number = 0; number < 12; number++) {
    await it.stack(withContent(`c${number}`));
    await it.publish();
  }
  const reader = it.simulation.reader('service');
  t.equal(reader.count(tables.generations), 2, 'the live one and the way back');
  t.equal(reader.count(tables.bundles), 3, 'their bundles and the empty one');
  const of = (version: number) => ({ version, stackHash: `h${version}`, bytes: 1 });
  let kept = [of(0)];
  for (let version = 1; version <= keptVersionLimit + 5; version++) {
    kept = keepVersion(kept, of(version), ['h0']);
  }
  t.equal(kept.length, keptVersionLimit);
  t.same([kept[0]?.version, kept[1]?.version], [0, 7], 'the oldest go, never the needed');
});
