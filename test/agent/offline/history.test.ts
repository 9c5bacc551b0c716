import t from 'tap';
import { type PassResult, passState, summarize } from '../../../agent/converge/result.ts';
import {
  historyPerResource,
  ResourceHistory,
  readHistory,
} from '../../../agent/offline/history.ts';
import {
  type HistoryEntry,
  historyDiffLimit,
  historyEntries,
} from '../../../agent/offline/history-entry.ts';
import { fc } from '../../support/property.ts';
import { MemoryFiles } from '../support/memory-files.ts';

type Outcome = PassResult['resources'][number];

function outcome(id: string, action: Outcome['action'], rest: Partial<Outcome> = {}): Outcome {
  return {
    id,
    type: 'file',
    action,
    reason: 'differs',
    diff: '',
    errorCode: '',
    durationMs: 1,
    ...rest,
  };
}

function passOf(resources: readonly Outcome[], startedAtMs = 1000): PassResult {
  const summary = summarize(resources);
  return {
    dryRun: false,
    state: passState(summary),
    summary,
    resources,
    pendingTriggers: [],
    aborted: false,
    startedAtMs,
    durationMs: 1,
  };
}

const facts = { runId: 'run', policyVersion: 3, cause: 'drift', offline: false } as const;

function entry(id: string, atMs: number, diff = ''): HistoryEntry {
  return historyEntries(passOf([outcome(id, 'updated', { diff })], atMs), [], facts)[0]!;
}

t.test('changes are kept always, trouble when it begins, changes or ends', async (t) => {
  const broken = (errorCode: Outcome['errorCode']) => outcome('m/b', 'failed', { errorCode });
  const passes: readonly (readonly Outcome[])[] = [
    [outcome('m/a', 'created'), broken('AGENT_DISK_FULL')],
    [outcome('m/a', 'none'), broken('AGENT_DISK_FULL')],
    [outcome('m/a', 'updated'), broken('AGENT_PERMISSION_DENIED')],
    [outcome('m/a', 'none'), outcome('m/b', 'none')],
    [outcome('m/a', 'skipped'), outcome('m/b', 'none')],
  ];
  const told = passes.map((resources, index) =>
    historyEntries(passOf(resources), passes[index - 1] ?? [], facts).map(
      ({ id, action, errorCode }) => `${id} ${action} ${errorCode}`.trim(),
    ),
  );
  t.same(told, [
    ['m/a created', 'm/b failed AGENT_DISK_FULL'],
    [],
    ['m/a updated', 'm/b failed AGENT_PERMISSION_DENIED'],
    ['m/b none'],
    [],
  ]);
  const predicted = { ...passOf([outcome('m/a', 'created')]), dryRun: true };
  t.same(historyEntries(predicted, [], facts), [], 'a dry run changed nothing');
  const long = entry('m/a', 1, 'line\n'.repeat(historyDiffLimit));
  t.ok(long.diff.length < historyDiffLimit + 20);
  t.match(long.diff, /line\n\(cut here\)\n$/);
});

t.test('nothing new touches no disk; what a full disk refused is written later', async (t) => {
  const files = new MemoryFiles();
  const history = new ResourceHistory(files);
  await history.add([]);
  t.equal(files.writes, 0);
  files.full = true;
  await t.rejects(history.add([entry('m/a', 1)]), { code: 'AGENT_STATE_WRITE' });
  await t.rejects(history.add([]), { code: 'AGENT_STATE_WRITE' });
  files.full = false;
  await history.add([entry('m/b', 2)]);
  t.same(
    (await readHistory(files)).map(({ id }) => id),
    ['m/a', 'm/b'],
  );
  const { writes } = files;
  await history.add([]);
  t.equal(files.writes, writes);
  await new ResourceHistory(files).add([entry('m/c', 3)]);
  t.equal((await readHistory(files)).length, 3, 'a restart goes on behind it');
});

t.test('the history stays bounded and keeps what was last of every resource', async (t) => {
  const files = new MemoryFiles();
  const history = new ResourceHistory(files, { bytes: 30_000, keptBytes: 15_000 });
  await history.add([entry('m/rare', 0)]);
  for (let at = 1; at <= 1000; at++) await history.add([entry('m/often', at, 'a diff\n')]);
  t.ok(files.content.get('history')!.length < 31_000);
  const kept = await readHistory(files);
  t.ok(kept.some(({ id }) => id === 'm/rare'));
  t.equal(kept.at(-1)?.atMs, 1000);
  t.ok(kept.length > historyPerResource);
  const times = kept.map(({ atMs }) => atMs);
  t.same(
    times,
    times.toSorted((a, b) => a - b),
    'oldest first',
  );
});

t.test('wherever a crash hits the file, what is whole is read and written on', async () => {
  const files = new MemoryFiles();
  const history = new ResourceHistory(files);
  for (let at = 1; at <= 5; at++) await history.add([entry('m/a', at, 'x\n')]);
  const whole = files.content.get('history')!;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), async (cut) => {
      const broken = new MemoryFiles();
      broken.content.set('history', whole.slice(0, cut));
      const before = await readHistory(broken);
      await new ResourceHistory(broken).add([entry('m/a', 9)]);
      const after = (await readHistory(broken)).map(({ atMs }) => atMs);
      const expected = [...before.map(({ atMs }) => atMs), 9];
      return JSON.stringify(after) === JSON.stringify(expected);
    }),
  );
});
