import t from 'tap';
import type { SpanRecord } from '../../../../actors/tracing/messages.ts';
import { ExportQueue, queuedSpansLimit } from '../../../../admin/api/tracing/export-queue.ts';

const span: SpanRecord = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name: 'test',
  kind: 'server',
  startMs: 0,
  durationMs: 1,
  attributes: {},
};

/** A queue whose timers run when the test says so, and the collector's side of it. */
function queueOf(t: { equal(a: unknown, b: unknown): void }) {
  const due: (() => void)[] = [];
  const lines: { level: string; message: string; code: unknown }[] = [];
  const sent: number[] = [];
  const world = { nowMs: 0, isAway: false, underWay: 0 };
  const queue = new ExportQueue({
    clock: {
      monotonicMs: () => world.nowMs,
      after: (_delayMs, run) => {
        due.push(run);
        return { cancel: () => undefined };
      },
    },
    send: async (spans) => {
      t.equal(world.underWay, 0);
      world.underWay += 1;
      await new Promise((resolve) => setImmediate(resolve));
      world.underWay -= 1;
      if (world.isAway) throw new Error('connect ECONNREFUSED');
      sent.push(spans.length);
    },
    log: (level, message, { code }) => lines.push({ level, message, code }),
  });
  /** Runs what is due until nothing waits. */
  const settle = async () => {
    for (let turns = 0; turns < 200; turns += 1) {
      for (const run of due.splice(0)) run();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { queue, world, lines, sent, settle };
}

t.test('spans of all threads leave in few requests, one at a time', async (t) => {
  const { queue, sent, settle } = queueOf(t);
  queue.take({ spans: Array.from({ length: 600 }, () => span), dropped: 2 });
  queue.add(span);
  await settle();
  t.same(sent, [512, 89]);
  t.equal(queue.exported, 601);
  t.equal(queue.waiting, 0);
  t.match(queue.dropped, { thread: 2, queue: 0, collector: 0 });
});

t.test(
  'a collector that is away costs its spans and one line, and is told of when it is back',
  async (t) => {
    const { queue, world, lines, settle } = queueOf(t);
    world.isAway = true;
    for (let at = 0; at < 5; at += 1) {
      queue.add(span);
      await settle();
    }
    t.match(lines, [{ level: 'warn', code: 'TRACING_EXPORT_FAILED', message: /ECONNREFUSED/ }]);
    t.equal(lines.length, 1);
    t.equal(queue.dropped.collector, 5);
    world.isAway = false;
    queue.add(span);
    await settle();
    t.match(lines[1], { level: 'info' });
    for (let at = 0; at < 5; at += 1) {
      world.isAway = at % 2 === 0;
      queue.add(span);
      await settle();
    }
    t.equal(
      lines.filter(({ level }) => level === 'warn').length,
      1,
      'one that comes and goes, too',
    );
  },
);

t.test('it holds so many spans and no more, whatever the collector does', async (t) => {
  const { queue } = queueOf(t);
  for (let at = 0; at < queuedSpansLimit + 10; at += 1) queue.add(span);
  t.equal(queue.waiting, queuedSpansLimit);
  t.equal(queue.dropped.queue, 10);
});

t.test('the end of the server takes the last spans along, beside what is under way', async (t) => {
  const { queue, sent, settle } = queueOf(t);
  queue.take({ spans: Array.from({ length: 1030 }, () => span), dropped: 0 });
  const closed = Promise.all([queue.close(), queue.close()]);
  await settle();
  await closed;
  t.same(sent, [512, 512, 6]);
});
