import t from 'tap';
import { AgentError } from '../../agent/errors.ts';
import { backoffCapMs } from '../../agent/offline/backoff.ts';
import type { Channel } from '../../agent/transport.ts';
import { AgentFixture, policyDocument } from './support/agent-fixture.ts';
import { signedPolicy } from './support/fake-server-channel.ts';

t.test('the server sets the pace, and every check-in is followed by one pass', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  fixture.server.nextCheckInMs = 5000;
  const delays: number[] = [];
  fixture.onSleep = (delayMs) => {
    delays.push(delayMs);
    if (delays.length === 4) fixture.stop.abort();
  };
  await fixture.daemon.run(fixture.stop.signal);
  t.same(delays, [5000, 5000, 5000, 5000]);
  t.equal(fixture.server.checkIns.length, 4);
  t.equal(fixture.passes.length, 4);
});

t.test('while the server is away the passes go on and attempts back off', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  await fixture.cycle();
  fixture.server.away = true;
  fixture.outcomes = [{ id: 'main/it', action: 'updated', errorCode: '' }];
  const startMs = fixture.nowMs;
  fixture.onSleep = () => {
    if (fixture.nowMs - startMs > 600_000) fixture.stop.abort();
  };
  await fixture.daemon.run(fixture.stop.signal);
  const attempts = fixture.lines.filter((line) => line.includes('The server cannot be reached'));
  t.ok(fixture.passes.length >= 55 && fixture.passes.length <= 65, `${fixture.passes.length}`);
  t.ok(attempts.length >= 40 && attempts.length <= 80, `${attempts.length} attempts`);

  fixture.server.away = false;
  await fixture.later(backoffCapMs);
  const sequences = fixture.server.reports.map(({ reportSequence }) => reportSequence);
  t.same(
    sequences,
    [...sequences.keys()].map((index) => index + 1),
    'each once, in order',
  );
  t.equal(sequences.length, fixture.passes.length);
  t.equal(fixture.server.reports.at(-2)?.offline, true);
  t.equal(fixture.server.reports.at(-1)?.offline, false);
});

t.test('a pass that is due does not wait for a server that is silent', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  const seen: string[] = [];
  let silent = false;
  const answer = fixture.server.call.bind(fixture.server);
  const channel: Channel = fixture.server;
  channel.call = async (path, request, options) => {
    if (!path.endsWith('/CheckIn')) return answer(path, request);
    const seconds = Math.floor((options.answerWithinMs ?? 0) / 1000);
    seen.push(`check-in within ${seconds} s after ${fixture.passes.length} passes`);
    if (silent) throw new AgentError('AGENT_SERVER_TIMEOUT');
    return answer(path, request);
  };
  for (const nextCheckInMs of [1000, 15_000, 600_000]) {
    fixture.server.nextCheckInMs = nextCheckInMs;
    await fixture.later();
  }
  t.same(seen.splice(0), [
    'check-in within 10 s after 0 passes',
    'check-in within 1 s after 1 passes',
    'check-in within 1 s after 2 passes',
  ]);
  silent = true;
  await fixture.later(600_000);
  t.same(seen.splice(0), [
    'check-in within 1 s after 3 passes',
    'check-in within 30 s after 4 passes',
  ]);
  silent = false;
  await fixture.later(600_000);
  t.same(seen, ['check-in within 30 s after 5 passes'], 'known to be away: the pass comes first');
  t.equal(fixture.passes.length, 6, 'and another one with what the server said');
});

t.test('results that were queued before a restart are sent after it', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  await fixture.cycle();
  fixture.server.away = true;
  fixture.outcomes = [{ id: 'main/it', action: 'updated', errorCode: '' }];
  await fixture.later();
  await fixture.later();
  await fixture.restart();
  fixture.server.away = false;
  fixture.server.settled = 1;
  await fixture.cycle();
  t.same(
    fixture.server.reports.map(({ reportSequence }) => reportSequence),
    [1, 2, 3, 4],
  );
  fixture.server.storeId = 2;
  await fixture.later();
  t.same(
    fixture.server.reports.slice(4).map(({ reportSequence }) => reportSequence),
    [2, 3, 4, 5],
    'a rebuilt store gets the unsettled ones again',
  );
});

t.test('the server may ask for a longer wait', async (t) => {
  const fixture = await AgentFixture.start();
  let refused = 0;
  fixture.server.call = async () => {
    refused += 1;
    throw new AgentError('AGENT_SERVER_REFUSED', 'busy', { retryAfterMs: 60_000 });
  };
  const startMs = fixture.nowMs;
  fixture.onSleep = () => {
    if (fixture.nowMs - startMs > 59_000) fixture.stop.abort();
  };
  await fixture.daemon.run(fixture.stop.signal);
  t.equal(refused, 1);
});

t.test('all lines of one exchange carry its trace', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  await fixture.cycle();
  const lines = fixture.lines.map((line) => JSON.parse(line) as { traceId?: string });
  t.ok(lines.length > 2);
  t.equal(new Set(lines.map(({ traceId }) => traceId)).size, 1);
  t.match(lines[0]?.traceId, /^[0-9a-f]{32}$/);
});

t.test('the log tells new trouble once, and every change', async (t) => {
  const fixture = await AgentFixture.start();
  fixture.server.policy = signedPolicy(1, policyDocument());
  fixture.outcomes = [
    { id: 'main/a', action: 'failed', errorCode: 'AGENT_DISK_FULL' },
    { id: 'main/b', action: 'updated', errorCode: '' },
  ];
  await fixture.cycle();
  await fixture.later();
  const told = fixture.lines
    .map((line) => JSON.parse(line) as { level: string; message: string })
    .filter(({ message }) => message.includes('main/'))
    .map(({ level, message }) => `${level} ${message}`);
  t.same(told, [
    'warn failed main/a',
    'info updated main/b',
    'debug failed main/a',
    'info updated main/b',
  ]);
});
