import t from 'tap';
import { ReportQueue } from '../../../agent/offline/report-queue.ts';
import { ReportRequest } from '../../../agent/protocol/gen/vigo/v1/agent.ts';
import { fc } from '../../support/property.ts';
import { MemoryFiles } from '../support/memory-files.ts';

const nowMs = (): number => 1000;

function report(reportSequence: number, size = 10): ReportRequest {
  return {
    ...ReportRequest.decode(new Uint8Array(0)),
    reportSequence,
    runId: new Uint8Array(size).fill(reportSequence % 256),
  };
}

async function filled(files: MemoryFiles, count: number, size?: number): Promise<ReportQueue> {
  const queue = await ReportQueue.open(files, nowMs);
  for (let sequence = 1; sequence <= count; sequence++) await queue.add(report(sequence, size));
  return queue;
}

async function drain(queue: ReportQueue): Promise<number[]> {
  const sent: number[] = [];
  for (let left = queue.unsent; left > 0; left--) {
    const next = await queue.next();
    if (next === undefined) break;
    sent.push(next.reportSequence);
    queue.acknowledge(next.reportSequence);
  }
  return sent;
}

t.test('results survive a restart and are sent in order, until they are settled', async (t) => {
  const files = new MemoryFiles();
  await filled(files, 3);
  const queue = await ReportQueue.open(files, nowMs);
  t.same([queue.lastSequence, queue.oldestSequence, queue.unsent], [3, 1, 3]);
  t.same(await drain(queue), [1, 2, 3]);
  t.equal(queue.length, 3, 'acknowledged is not settled');
  await queue.settle(7, 2);
  t.same([queue.oldestSequence, queue.length], [3, 1]);
  await queue.settle(7, 3);
  t.same([queue.oldestSequence, queue.length], [4, 0]);
  const anew = await ReportQueue.open(files, nowMs);
  t.same([anew.lastSequence, anew.length], [3, 0], 'who reads the file finds nothing waiting');
});

t.test('a server that lost its store gets everything unsettled again', async (t) => {
  const queue = await filled(new MemoryFiles(), 4);
  await queue.settle(7, 1);
  await drain(queue);
  await queue.settle(7, 2);
  t.same(await drain(queue), []);
  await queue.settle(8, 2);
  t.same(await drain(queue), [3, 4]);
});

t.test('numbers never repeat, also when queue or state directory were emptied', async (t) => {
  const files = new MemoryFiles();
  const queue = await filled(files, 3, 40_000);
  await queue.settle(7, 3);
  t.ok(files.content.get('reports')!.length < 1000, 'settled results leave the file');
  t.equal((await ReportQueue.open(files, nowMs)).lastSequence, 3);
  const anew = await ReportQueue.open(new MemoryFiles(), nowMs);
  await anew.settle(7, 50);
  t.equal(anew.lastSequence, 50, 'the server knows more than a node that lost its state');
});

t.test('a full queue drops the oldest and says how many', async (t) => {
  const files = new MemoryFiles();
  const queue = await ReportQueue.open(files, nowMs, { entries: 3 });
  for (let sequence = 1; sequence <= 5; sequence++) await queue.add(report(sequence));
  t.same([queue.length, queue.oldestSequence], [3, 3]);
  t.match(queue.takeIncidents(), [{ code: 'AGENT_QUEUE_OVERFLOW', message: /2 results/ }]);
  t.same(queue.takeIncidents(), []);
  const bytes = await ReportQueue.open(new MemoryFiles(), nowMs, { bytes: 250 });
  for (let sequence = 1; sequence <= 4; sequence++) await bytes.add(report(sequence, 100));
  t.equal(bytes.length, 2);
});

t.test('a full disk keeps results in memory, and nothing torn is ever sent', async (t) => {
  const files = new MemoryFiles();
  const queue = await filled(files, 2);
  files.full = true;
  for (let sequence = 3; sequence <= 100; sequence++) await queue.add(report(sequence));
  t.equal(queue.length, 66, 'two on disk, 64 in memory');
  t.match(queue.takeIncidents().at(-1), { code: 'AGENT_QUEUE_OVERFLOW' });
  files.full = false;
  await queue.add(report(101));
  const sent = await drain(queue);
  t.same([sent[0], sent[1], sent.at(-1), sent.length], [1, 2, 101, 67]);
  const after = await ReportQueue.open(files, nowMs);
  t.same(await drain(after), [1, 2, 101]);
});

t.test(
  'wherever a crash or a bad sector hits the file, only whole results come back',
  async (t) => {
    const files = new MemoryFiles();
    t.equal((await filled(files, 5)).length, 5);
    const whole = files.content.get('reports')!;
    const isRising = (numbers: number[]): boolean =>
      numbers.every((value, index) => index === 0 || value > numbers[index - 1]!);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length),
        fc.option(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }))),
        async (cut, flip) => {
          const broken = whole.slice(0, cut);
          if (flip !== null && flip[0] < cut) broken[flip[0]]! ^= flip[1];
          const damaged = new MemoryFiles();
          damaged.content.set('reports', broken);
          const queue = await ReportQueue.open(damaged, nowMs);
          const before = queue.lastSequence;
          await queue.add(report(before + 1));
          const sent = await drain(queue);
          const again = await drain(await ReportQueue.open(damaged, nowMs));
          return isRising(sent) && sent.at(-1) === before + 1 && again.at(-1) === before + 1;
        },
      ),
      { numRuns: 300 },
    );
  },
);
