import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { createEngine, type PassOptions } from '../../../agent/converge/engine.ts';
import { AgentError } from '../../../agent/errors.ts';
import { typeRegistry } from '../../../agent/executors/registry.ts';
import { createNodePlatform } from '../../../agent/platform/node-platform.ts';
import { PlatformError } from '../../../agent/platform/platform-error.ts';
import type { BundleDocument } from '../../../agent/protocol/bundle.ts';
import { RecordingType } from '../../support/recording-type.ts';
import { bundle, module, type ResourceInput } from '../../support/resource-bundle.ts';

function setUp(recording: RecordingType, parallelChecks = 8) {
  const engine = createEngine({
    platform: createNodePlatform(),
    registry: typeRegistry([recording.type()]),
    limits: { parallelChecks },
  });
  return (document: BundleDocument, rest: Partial<PassOptions> = {}) =>
    engine.pass({ document, traits: { os: { family: 'debian' } }, ...rest });
}

const one = (name: string, rest: Partial<ResourceInput> = {}): ResourceInput => ({
  name,
  type: 'recording',
  parameters: { key: name },
  ...rest,
});
const actions = (result: Awaited<ReturnType<ReturnType<typeof setUp>>>) =>
  Object.fromEntries(result.resources.map((row) => [row.id.slice(2), row.action]));
const inModule = (...resources: ResourceInput[]) => bundle([module('m', resources)]);

t.test('repairs what drifted, once, and says so', async (t) => {
  const recording = new RecordingType().script('a', { drift: true });
  const pass = setUp(recording);
  const document = inModule(one('a'), one('b'));
  const first = await pass(document);
  t.same(actions(first), { a: 'updated', b: 'none' });
  t.equal(first.state, 'changed');
  t.match(first.summary, { total: 2, updated: 1, unchanged: 1 });
  t.match(first.resources[0], { reason: 'a differs', diff: 'diff of a', errorCode: '' });
  const second = await pass(document);
  t.same(actions(second), { a: 'none', b: 'none' });
  t.equal(second.state, 'converged');
});

t.test('a dry run predicts the whole chain and applies nothing', async (t) => {
  const recording = new RecordingType()
    .script('a', { drift: true })
    .script('b', { drift: 'always' });
  const pass = setUp(recording);
  const document = inModule(one('a', { notify: ['b'] }), one('b', { when: 'changed' }));
  const persisted: unknown[] = [];
  const persistTriggers = async (ids: readonly string[]) => void persisted.push(ids);
  const predicted = await pass(document, { dryRun: true, persistTriggers });
  t.same(actions(predicted), { a: 'updated', b: 'updated' });
  t.same(recording.applies(), []);
  t.same(persisted, []);
  t.same(predicted.pendingTriggers, []);
});

t.test('notify and subscribes trigger once, after their sources; otherwise skipped', async (t) => {
  for (const resources of [
    [one('a', { notify: ['r'] }), one('b', { notify: ['r'] }), one('r', { when: 'changed' })],
    [one('r', { when: 'changed', subscribes: ['a', 'b'] }), one('a'), one('b')],
  ]) {
    const recording = new RecordingType()
      .script('a', { drift: true })
      .script('b', { drift: true })
      .script('r', { drift: 'always' });
    const pass = setUp(recording);
    const document = inModule(...resources);
    t.match(actions(await pass(document)), { r: 'updated' });
    t.same(recording.applies(), ['apply a', 'apply b', 'apply r triggered']);
    t.match(actions(await pass(document)), { r: 'skipped' });
  }
});

t.test('a module can be notified', async (t) => {
  const recording = new RecordingType()
    .script('a', { drift: true })
    .script('r', { drift: 'always' });
  const document = bundle([
    module('m', [one('a', { notify: ['n'] })]),
    module('n', [one('r', { when: 'changed' })]),
  ]);
  await setUp(recording)(document);
  t.same(recording.applies(), ['apply a', 'apply r triggered']);
});

t.test('a trigger that could not be served is kept until it is', async (t) => {
  const recording = new RecordingType()
    .script('a', { drift: true })
    .script('r', { drift: 'always', applyError: new AgentError('AGENT_SERVICE_FAILED') });
  const pass = setUp(recording);
  const document = inModule(one('a', { notify: ['r'] }), one('r', { when: 'changed' }));
  const first = await pass(document);
  t.same(first.pendingTriggers, ['m/r']);
  const dry = await pass(document, { dryRun: true, pendingTriggers: first.pendingTriggers });
  t.same(dry.pendingTriggers, ['m/r'], 'a dry run keeps it');
  recording.script('r', { drift: 'always' });
  const second = await pass(document, { pendingTriggers: first.pendingTriggers });
  t.same(actions(second), { a: 'none', r: 'updated' });
  t.same(second.pendingTriggers, []);
});

t.test('triggers are made durable before the change that causes them', async (t) => {
  const recording = new RecordingType()
    .script('a', { drift: true })
    .script('r', { drift: 'always' });
  const document = inModule(one('a', { notify: ['r'] }), one('r', { when: 'changed' }));
  const persistTriggers = async (ids: readonly string[]) =>
    void recording.calls.push(`persist ${ids}`);
  await setUp(recording)(document, { persistTriggers });
  const effects = recording.calls.filter((call) => !call.startsWith('observe'));
  t.same(effects, ['persist m/r', 'apply a', 'apply r triggered']);
});

t.test('an apply that fails after its work still owes the trigger; before it, not', async (t) => {
  for (const failsAfterWork of [true, false]) {
    const recording = new RecordingType()
      .script('a', { drift: true, applyError: new PlatformError('EIO', 'fsync'), failsAfterWork })
      .script('r', { drift: 'always' });
    const document = inModule(one('a', { notify: ['r'] }), one('r', { when: 'changed' }));
    await setUp(recording)(document);
    t.equal(recording.applies().includes('apply r triggered'), failsAfterWork);
  }
});

t.test('what depends on trouble is skipped, by name; the rest goes on', async (t) => {
  const recording = new RecordingType()
    .script('a', { observeError: new AgentError('AGENT_PACKAGE_LOCKED') })
    .script('d', { drift: true });
  const result = await setUp(recording)(
    inModule(one('a'), one('b', { dependsOn: ['a'] }), one('c', { dependsOn: ['b'] }), one('d')),
  );
  t.same(actions(result), { a: 'blocked', b: 'skipped', c: 'skipped', d: 'updated' });
  t.match(result.resources[1], {
    reason: 'needs m/a, which is blocked',
    errorCode: 'AGENT_DEPENDENCY_FAILED',
  });
  t.match(result.resources[2], { reason: /needs m\/b/, errorCode: 'AGENT_DEPENDENCY_FAILED' });
  t.equal(result.state, 'degraded');
});

t.test('a false condition skips, and does not hold up what depends on it', async (t) => {
  const recording = new RecordingType().script('b', { drift: true });
  const document = inModule(
    one('a', { when: "os_family('redhat')" }),
    one('b', { dependsOn: ['a'], when: "os_family('debian')" }),
    one('c', { when: 'no such thing' }),
  );
  const result = await setUp(recording)(document);
  t.same(actions(result), { a: 'skipped', b: 'updated', c: 'failed' });
  t.equal(result.resources[2]?.errorCode, 'POLICY_WHEN_SYNTAX');
});

t.test('a module whose condition is false has no say', async (t) => {
  const recording = new RecordingType().script('a', { drift: true });
  const document = bundle([module('m', [one('a'), one('b')], { when: "os_family('redhat')" })]);
  t.same(actions(await setUp(recording)(document)), { a: 'skipped', b: 'skipped' });
});

t.test('templates see variables and traits, and are rendered again for new traits', async (t) => {
  const recording = new RecordingType().script('web-debian', { drift: true });
  const engine = createEngine({
    platform: createNodePlatform(),
    registry: typeRegistry([recording.type()]),
  });
  const key = '{{ .Vars.name }}-{{ .Traits.family }}';
  const document = bundle([
    module('m', [one('a', { parameters: { key } })], { vars: { name: 'web' } }),
  ]);
  for (const family of ['redhat', 'debian']) await engine.pass({ document, traits: { family } });
  t.same(recording.applies(), ['apply web-debian']);
  const failed = await engine.pass({ document, traits: {} });
  t.equal(failed.resources[0]?.errorCode, 'POLICY_TEMPLATE_MISSING_KEY');
});

t.test('checks run ahead in parallel, within the limit', async (t) => {
  const recording = new RecordingType();
  const document = inModule(...Array.from({ length: 20 }, (_, index) => one(`r${index}`)));
  await setUp(recording, 4)(document);
  t.equal(recording.mostParallel, 4);
  t.equal(recording.calls.length, 20, 'each was looked at once');
});

t.test('what was seen ahead of a change is looked at again after it', async (t) => {
  const recording = new RecordingType().script('a', { drift: true });
  await setUp(recording)(inModule(one('a'), one('b')));
  t.ok(recording.calls.lastIndexOf('observe b') > recording.calls.indexOf('apply a'));
});

t.test('an unknown type, a defect and an ineffective apply each get their code', async (t) => {
  const recording = new RecordingType()
    .script('bug', { observeError: new TypeError('undefined is not a function') })
    .script('idle', { drift: true, ineffective: true })
    .script('full', { observeError: new PlatformError('ENOSPC', 'write', '/x') });
  const result = await setUp(recording)(
    inModule(one('a', { type: 'quantum' }), one('bug'), one('idle'), one('full')),
  );
  const codes = result.resources.map(({ action, errorCode }) => [action, errorCode]);
  t.same(codes, [
    ['failed', 'AGENT_TYPE_UNKNOWN'],
    ['failed', 'AGENT_INTERNAL'],
    ['failed', 'AGENT_VERIFY_FAILED'],
    ['blocked', 'AGENT_DISK_FULL'],
  ]);
  t.equal(result.state, 'failed');
});

t.test('one that hangs is stopped at its limit and does not stop the pass', async (t) => {
  for (const hangs of ['observe', 'apply'] as const) {
    const recording = new RecordingType(50).script('a', { hangs, drift: true });
    const result = await setUp(recording)(inModule(one('a'), one('b')));
    t.match(result.resources[0], { action: 'failed', errorCode: 'AGENT_TIME_LIMIT' });
    t.same(actions(result).b, 'none');
  }
});

t.test('an abort ends the pass, keeps triggers, and says what was not done', async (t) => {
  const stop = new AbortController();
  const recording = new RecordingType().script('a', { hangs: 'apply', drift: true });
  const document = inModule(one('a', { notify: ['r'] }), one('r', { when: 'changed' }));
  const running = setUp(recording)(document, { signal: stop.signal });
  while (recording.applies().length === 0) await pause(1);
  stop.abort();
  const result = await running;
  t.equal(result.aborted, true);
  t.same(
    result.resources.map((row) => [row.action, row.errorCode]),
    [
      ['failed', 'AGENT_ABORTED'],
      ['skipped', 'AGENT_ABORTED'],
    ],
  );
  t.same(result.pendingTriggers, ['m/r'], 'whether the change was made is not known');
});

t.test('a dry run assumes that an earlier step brings what is missing, and says so', async (t) => {
  const recording = new RecordingType()
    .script('a', { drift: true })
    .script('b', { observeError: new AgentError('AGENT_SERVICE_UNKNOWN') });
  const document = inModule(one('a'), one('b', { dependsOn: ['a'] }));
  const result = await setUp(recording)(document, { dryRun: true });
  const assumption = { action: 'updated', assumed: true, reason: /assuming that m\/a brings/ };
  t.match(result.resources[1], assumption);
  const alone = inModule(one('b'), one('a', { dependsOn: ['b'] }));
  t.match((await setUp(recording)(alone, { dryRun: true })).resources[0], { action: 'failed' });
  const wrong = inModule(one('a'), one('b', { dependsOn: ['a'], type: 'quantum' }));
  t.match((await setUp(recording)(wrong, { dryRun: true })).resources[1], { action: 'failed' });
});

t.test('what is right now but comes after a provider is no certain prediction', async (t) => {
  const recording = new RecordingType().script('package', { drift: true });
  const document = inModule(
    one('package'),
    one('no default site', { dependsOn: ['package'], notify: ['reload'] }),
    one('after it', { dependsOn: ['no default site'] }),
    one('elsewhere', { notify: ['other'] }),
    one('reload', { when: 'changed' }),
    one('other', { when: 'changed' }),
  );
  const pass = setUp(recording);
  const { resources } = await pass(document, { dryRun: true });
  t.same(
    resources.map(({ id, action, assumed }) => [id.slice(2), action, assumed === true]),
    [
      ['package', 'updated', false],
      ['no default site', 'none', true],
      ['after it', 'none', true],
      ['elsewhere', 'none', false],
      ['reload', 'skipped', true],
      ['other', 'skipped', false],
    ],
  );
  t.match(resources[1]?.reason, /only the node can tell after m\/package/);
  await pass(document);
  const settled = await pass(document, { dryRun: true });
  t.notOk(
    settled.resources.some(({ assumed }) => assumed),
    'a provider that does nothing leaves no doubt',
  );
});

t.test('what a certain change triggers is certain, though an assumption would too', async (t) => {
  const recording = new RecordingType()
    .script('package', { drift: true })
    .script('sure', { drift: true })
    .script('restart', { drift: 'always' });
  const result = await setUp(recording)(
    inModule(
      one('sure', { notify: ['restart'] }),
      one('package'),
      one('maybe', { dependsOn: ['package'], notify: ['restart'] }),
      one('restart', { when: 'changed' }),
    ),
    { dryRun: true },
  );
  t.match(result.resources[2], { action: 'none', assumed: true });
  t.match(result.resources[3], { action: 'updated' });
  t.not(result.resources[3]?.assumed, true);
});
