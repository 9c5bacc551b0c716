import t from 'tap';
import { loadRunState } from '../../agent/offline/run-state.ts';
import { ServerRefusal } from '../../agent/transport.ts';
import { AgentFixture, policyDocument } from './support/agent-fixture.ts';
import { signedPolicy } from './support/fake-server-channel.ts';

t.test('a new policy is fetched once, enforced every interval and reported once', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(3, policyDocument());
  await fixture.cycle();
  await fixture.later();
  await fixture.later();
  t.equal(fixture.passes.length, 3);
  t.same(
    fixture.server.checkIns.map(({ policyVersion }) => policyVersion),
    [0, 3, 3],
  );
  t.match(fixture.server.reports, [{ policyChanged: true, reportSequence: 1, policyVersion: 3 }]);
  t.equal(fixture.server.checkIns[2]?.state, 1);
});

t.test('changes and new trouble are reported, the same trouble not every pass', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  await fixture.cycle();
  fixture.outcomes = [{ id: 'main/it', action: 'updated', errorCode: '' }];
  await fixture.later(20_000);
  fixture.outcomes = [{ id: 'main/it', action: 'failed', errorCode: 'AGENT_DISK_FULL' }];
  await fixture.later(20_000);
  await fixture.later(20_000);
  await fixture.later(400_000);
  fixture.outcomes = [{ id: 'main/it', action: 'none', errorCode: '' }];
  await fixture.later(20_000);
  await fixture.later(20_000);
  const told = fixture.server.reports.map(({ state, results }) => [state, results[0]?.action]);
  t.same(
    told,
    [
      [1, undefined],
      [2, 2],
      [3, 6],
      [3, 6],
      [1, 0],
    ].map(([state, action]) => (state === 3 ? [4, action] : [state, action])),
  );
});

t.test('traits are told when asked for', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.wantTraits = true;
  await fixture.cycle();
  t.same(fixture.server.traits, ['{"os":{"family":"debian"}}']);
  t.equal(fixture.server.checkIns[0]?.traitsHash.length, 16);
});

t.test('bundles that do not verify are refused, reported, and the old one stays', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(5, policyDocument());
  await fixture.cycle();
  const good = fixture.server.policy;
  const bad = signedPolicy(6, policyDocument('bad'));
  const cases: [string, typeof good][] = [
    ['PROTOCOL_BUNDLE_SIGNATURE', { ...bad, signature: new Uint8Array(64) }],
    ['PROTOCOL_BUNDLE_ROLLBACK', signedPolicy(4, policyDocument('old'))],
    [
      'PROTOCOL_BUNDLE_WRONG_ENVOY',
      signedPolicy(6, policyDocument(), { envoyId: new Uint8Array(16) }),
    ],
    ['PROTOCOL_BUNDLE_EXPIRED', signedPolicy(6, policyDocument(), { expiresAtMs: 5 })],
    ['PROTOCOL_BUNDLE_ROOT_MISMATCH', { ...bad, document: good.document }],
  ];
  for (const [code, bundle] of cases) {
    fixture.server.policy = bundle;
    await fixture.later();
    t.match(fixture.server.reports.at(-1)?.incidents, [{ code }], code);
    t.equal(fixture.passes.at(-1)?.document.modules[0]?.resources[0]?.parameters.text, '', code);
  }
});

t.test(
  'an altered cache is refused, reported and fetched anew, also after a restart',
  async (t) => {
    const fixture = await AgentFixture.start();
    fixture.server.policy = signedPolicy(5, policyDocument());
    await fixture.cycle();
    const stored = fixture.files.content.get('bundle')!;
    for (const restart of [false, true]) {
      const altered = stored.slice();
      altered[altered.length - 3]! ^= 1;
      fixture.files.content.set('bundle', altered);
      if (restart) await fixture.restart();
      await fixture.later();
      t.equal(fixture.server.checkIns.at(-1)?.policyVersion, 0);
      t.match(fixture.server.reports.at(-1)?.incidents, [{ code: 'AGENT_CACHE_ALTERED' }]);
      t.same(fixture.files.content.get('bundle'), stored);
    }
  },
);

t.test('an older policy put in the place of the cached one is not enforced', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(5, policyDocument('old'));
  await fixture.cycle();
  const old = fixture.files.content.get('bundle')!;
  fixture.server.policy = signedPolicy(6, policyDocument('new'));
  await fixture.later();
  fixture.files.content.set('bundle', old);
  await fixture.restart();
  fixture.server.away = true;
  const before = fixture.passes.length;
  await fixture.later();
  t.equal(fixture.passes.length, before);
  t.equal(fixture.files.content.has('bundle'), false);
});

t.test(
  'an expired policy is no longer enforced, and renewed without sending it again',
  async (t) => {
    const fixture = await AgentFixture.start();
    const expiresAtMs = fixture.nowMs + 50_000;
    fixture.server.policy = signedPolicy(5, policyDocument(), { expiresAtMs });
    await fixture.cycle();
    fixture.server.away = true;
    await fixture.later(60_000);
    t.equal(fixture.passes.length, 1);
    fixture.server.away = false;
    fixture.server.policy = signedPolicy(5, policyDocument(), { expiresAtMs: fixture.nowMs * 2 });
    await fixture.later(60_000);
    t.equal(fixture.passes.length, 2);
    t.match(
      fixture.server.reports.flatMap(({ incidents }) => incidents.map(({ code }) => code)),
      ['PROTOCOL_BUNDLE_EXPIRED'],
    );
  },
);

t.test('a full disk stops neither the pass nor the report, and is told', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.files.full = true;
  fixture.server.policy = signedPolicy(5, policyDocument());
  await fixture.cycle();
  await fixture.later();
  t.equal(fixture.passes.length, 2);
  t.match(fixture.server.reports[0]?.incidents, [{ code: 'AGENT_STATE_WRITE' }]);
  fixture.files.full = false;
  await fixture.later();
  t.ok(fixture.files.content.has('bundle'), 'stored as soon as there is room');
});

t.test('one report that the server never takes does not hold up the others', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  fixture.outcomes = [{ id: 'main/it', action: 'updated', errorCode: '' }];
  fixture.server.refuseReport = ({ reportSequence, results }) =>
    reportSequence === 1 && results.length > 0 ? new ServerRefusal(3, 'no', undefined) : undefined;
  await fixture.cycle();
  await fixture.later();
  const sent = fixture.server.reports.map((report) => [
    report.reportSequence,
    report.results.length,
  ]);
  t.same(sent, [
    [1, 0],
    [2, 1],
  ]);
});

t.test('a dry run predicts every time and tells each prediction once', async (t) => {
  const fixture = await AgentFixture.start({ dryRun: true });
  fixture.server.policy = signedPolicy(1, policyDocument());
  fixture.outcomes = [{ id: 'main/it', action: 'created', errorCode: '' }];
  await fixture.cycle();
  await fixture.later();
  t.same(
    fixture.passes.map(({ dryRun }) => dryRun),
    [true, true],
  );
  t.match(fixture.server.reports[0], { dryRun: true });
});

t.test('a pass without news writes nothing; a change, new trouble and its end do', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  await fixture.cycle();
  fixture.server.settled = 1;
  await fixture.later(15_000);
  const writesOf = async (outcome: (typeof fixture.outcomes)[number]): Promise<number> => {
    const before = fixture.files.writes;
    fixture.outcomes = [outcome];
    await fixture.later(15_000);
    return fixture.files.writes - before;
  };
  const fine = { id: 'main/it', action: 'none', errorCode: '' } as const;
  for (let pass = 0; pass < 20; pass++) t.equal(await writesOf(fine), 0, `pass ${pass}`);
  t.ok((await writesOf({ ...fine, action: 'updated' })) > 0);
  await writesOf(fine);
  t.equal(await writesOf(fine), 0);
  const broken = { ...fine, action: 'failed', errorCode: 'AGENT_DISK_FULL' } as const;
  t.ok((await writesOf(broken)) > 0);
  t.equal(await writesOf(broken), 0);
  t.ok((await writesOf(fine)) > 0);
  await fixture.later(3_600_000);
  const { lastContactMs } = await loadRunState(fixture.files);
  t.equal(lastContactMs, fixture.nowMs, 'an agent that dies is known to have lived an hour ago');
});
