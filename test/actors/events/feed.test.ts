import t from 'tap';
import { EventFeed } from '../../../actors/events/feed.ts';
import type { LiveBatch, LiveEvent } from '../../../actors/events/messages.ts';
import { SimulatedClock, SimulatedTime } from '../../../runtime/simulate/simulated-clock.ts';

function setUp(send: (batch: LiveBatch) => Promise<unknown> = async () => undefined) {
  const time = new SimulatedTime();
  const batches: LiveBatch[] = [];
  const feed = new EventFeed('life-1', new SimulatedClock(time, 0), (batch) => {
    batches.push(batch);
    return send(batch);
  });
  const run = (untilMs: number): void => {
    while (time.step(untilMs));
  };
  return { feed, batches, run };
}

const events = (type: string, count: number): LiveEvent[] =>
  Array.from({ length: count }, () => ({ type, atMs: 1, data: {} }));

t.test('a fleet that changes at once is counted; what people did is told one by one', (t) => {
  const { feed, batches, run } = setUp();
  feed.tell([...events('envoy.state', 100_000), ...events('policy.published', 1)]);
  feed.tell(events('run.finished', 50));
  run(1_000);
  const told = batches.flatMap((batch) => batch.events);
  t.equal(told.filter(({ type }) => type === 'policy.published').length, 1);
  const many = told.filter(({ type }) => type === 'envoys.many');
  const single = told.filter(({ type }) => type === 'envoy.state').length;
  t.match(many, [{ data: { states: 100_000 - single, runs: 50 } }]);
  t.ok(single > 0 && single <= 1_000, 'a viewer is not flooded');
  run(20_000);
  feed.tell(events('envoy.state', 3));
  t.equal(batches.at(-1)?.events.length, 3, 'and when it is calm again, each is told again');
  t.end();
});

t.test('batches that nobody takes leave a hole in the numbers, not a queue', async (t) => {
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { feed, batches } = setUp(() => answered);
  for (let at = 0; at < 100; at++) feed.tell(events('policy.published', 1));
  t.ok(batches.length < 50);
  t.same(
    batches.map(({ number }) => number),
    batches.map((_batch, at) => at + 1),
  );
  answer();
  await answered;
  await new Promise((resolve) => setImmediate(resolve));
  feed.tell(events('policy.published', 1));
  t.equal(batches.at(-1)?.number, 101);
});
