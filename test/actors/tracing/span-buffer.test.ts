import t from 'tap';
import type { SpanBatch, SpanRecord } from '../../../actors/tracing/messages.ts';
import { bufferedSpansLimit, SpanBuffer } from '../../../actors/tracing/span-buffer.ts';

const span: SpanRecord = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'test',
  kind: 'internal',
  startMs: 0,
  durationMs: 1,
  attributes: {},
};

/** Timers that run when the test says so. */
function handClock() {
  const due: (() => void)[] = [];
  const after = (_delayMs: number, run: () => void) => {
    due.push(run);
    return { cancel: () => undefined };
  };
  const tick = async () => {
    for (const run of due.splice(0)) run();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { after, tick, due };
}

t.test('spans go on together, and nothing runs while there are none', async (t) => {
  const clock = handClock();
  const sent: SpanBatch[] = [];
  const buffer = new SpanBuffer(clock, async (batch) => sent.push(batch));
  t.equal(clock.due.length, 0);
  buffer.add(span);
  buffer.add(span);
  await clock.tick();
  t.match(sent, [{ spans: [{ name: 'test' }, { name: 'test' }], dropped: 0 }]);
  t.equal(clock.due.length, 0);
});

t.test('what does not fit is counted, and the count is not lost with the web thread', async (t) => {
  const clock = handClock();
  const sent: SpanBatch[] = [];
  let isAway = true;
  const buffer = new SpanBuffer(clock, async (batch) => {
    if (isAway) throw new Error('away');
    sent.push(batch);
  });
  for (let at = 0; at < bufferedSpansLimit + 3; at += 1) buffer.add(span);
  await clock.tick();
  isAway = false;
  buffer.add(span);
  await clock.tick();
  t.equal(sent.length, 1);
  t.equal(sent[0]?.spans.length, 1);
  t.equal(sent[0]?.dropped, bufferedSpansLimit + 3);
});

t.test('a web thread that is slow gets one batch at a time', async (t) => {
  const clock = handClock();
  const answers: (() => void)[] = [];
  const buffer = new SpanBuffer(
    clock,
    () =>
      new Promise<void>((resolve) => {
        answers.push(resolve);
      }),
  );
  buffer.add(span);
  await clock.tick();
  buffer.add(span);
  await clock.tick();
  t.equal(answers.length, 1);
  answers[0]?.();
  await clock.tick();
  await clock.tick();
  t.equal(answers.length, 2);
});
