import t from 'tap';
import { Asks, pendingAskLimit } from '../../runtime/asks.ts';
import { SimulatedClock, SimulatedTime } from '../../runtime/simulate/simulated-clock.ts';
import { Wheel } from '../../runtime/wheel.ts';
import { fc } from '../support/property.ts';

const to = { kind: 'kind', key: 'key' };

function make() {
  const time = new SimulatedTime();
  const wheel = new Wheel(new SimulatedClock(time, 0));
  return { time, wheel, asks: new Asks(wheel) };
}

t.test('every question gets its own answer, once, however late and often one comes', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('ask' as const), at: fc.nat(50) }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('answer' as const), at: fc.nat(50) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('wait' as const), at: fc.nat(50) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const { time, wheel, asks } = make();
      const ids: number[] = [];
      const outcomes: string[] = [];
      const expected: string[] = [];
      const dueMs: number[] = [];
      for (const { what, at } of steps) {
        if (what === 'ask') {
          const ask = asks.open(to, 'type', 100 + 20 * at);
          if (ask === undefined) throw new Error('refused');
          const index = ids.push(ask.id) - 1;
          dueMs.push(time.nowMs + 100 + 20 * at);
          ask.promise.then(
            (value) => outcomes.push(`${index} ${String(value)}`),
            (error: { code: string }) => outcomes.push(`${index} ${error.code}`),
          );
        } else if (what === 'answer' && ids.length > 0) {
          const index = at % ids.length;
          if (!expected.some((line) => line.startsWith(`${index} `))) {
            expected.push(`${index} answer ${index}`);
          }
          asks.answer(ids[index] as number, `answer ${index}`);
        } else if (what === 'wait') {
          const untilMs = time.nowMs + 10 * at;
          while (time.step(untilMs));
          for (const [index, due] of dueMs.entries()) {
            if (due + 20 >= untilMs && due <= untilMs + 20) continue;
            if (due > untilMs || expected.some((line) => line.startsWith(`${index} `))) continue;
            expected.push(`${index} RUNTIME_DEADLINE`);
          }
          await Promise.resolve();
          // Those so close to their deadline that either may be true follow what happened.
          for (const line of outcomes) {
            const [index = ''] = line.split(' ');
            if (!expected.some((known) => known.startsWith(`${index} `))) expected.push(line);
          }
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (JSON.stringify(outcomes.sort()) !== JSON.stringify(expected.sort())) {
        throw new Error(`${JSON.stringify(outcomes)} ${JSON.stringify(expected)}`);
      }
      if (asks.size !== ids.length - outcomes.length) throw new Error('size differs');
      if (wheel.size !== asks.size) throw new Error('a deadline is left');
    }),
    { numRuns: 200 },
  );
});

t.test('a late answer does not reach the question that took the place', async (t) => {
  const { asks } = make();
  const first = asks.open(to, 'type', 1_000);
  first?.reject(new Error('given up'));
  await t.rejects(first?.promise ?? Promise.resolve());
  const second = asks.open(to, 'type', 1_000);
  asks.answer(first?.id ?? 0, 'late');
  t.equal(asks.size, 1, 'the second still waits');
  second?.resolve('own');
  t.equal(await second?.promise, 'own');
});

t.test('questions are refused beyond their limit, and taken again below it', async (t) => {
  const { asks } = make();
  const all = Array.from({ length: pendingAskLimit }, () => asks.open(to, 'type', 1_000));
  t.ok(all.every((ask) => ask !== undefined));
  t.equal(asks.open(to, 'type', 1_000), undefined);
  all[7]?.resolve('answer');
  const again = asks.open(to, 'type', 1_000);
  t.not(again?.id, all[7]?.id, 'the place has another number');
  for (const ask of all) ask?.promise.catch(() => undefined);
  again?.promise.catch(() => undefined);
  asks.failAll(new Error('over'));
  t.equal(asks.size, 0);
});

t.test('when a thread is gone, what it was asked fails, and nothing else', async (t) => {
  const { asks } = make();
  const gone = asks.open(to, 'type', 1_000);
  const other = asks.open(to, 'type', 1_000);
  if (!gone || !other) throw new Error('refused');
  gone.thread = 'gone';
  other.thread = 'other';
  asks.failThread('gone');
  await t.rejects(gone.promise, { code: 'RUNTIME_THREAD_GONE' });
  t.equal(asks.size, 1);
  asks.answer(other.id, 'fine');
  t.equal(await other.promise, 'fine');
});
