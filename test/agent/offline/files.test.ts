import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { Backoff, backoffBaseMs, backoffCapMs } from '../../../agent/offline/backoff.ts';
import { decodeChecked, encodeChecked } from '../../../agent/offline/checked-file.ts';
import { crc32 } from '../../../agent/offline/checksum.ts';
import { loadRunState, saveRunState } from '../../../agent/offline/run-state.ts';
import { RequestSequence } from '../../../agent/offline/sequence.ts';
import { askRunning, lockInstance } from '../../../agent/platform/instance-lock.ts';
import { NodeStateFiles } from '../../../agent/platform/node-state-files.ts';
import { fc } from '../../support/property.ts';
import { MemoryFiles } from '../support/memory-files.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

t.test('a half-written or rotten file never reads as good', async (t) => {
  t.equal(crc32(text('123456789')), 0xcbf43926, 'the check value of CRC-32');
  fc.assert(
    fc.property(
      fc.uint8Array(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (content, at, flip) => {
        const stored = encodeChecked(content);
        const rotten = stored.slice();
        rotten[at % stored.length]! ^= flip;
        return (
          Buffer.from(decodeChecked(stored)!).equals(content) &&
          decodeChecked(rotten) === undefined &&
          decodeChecked(stored.subarray(0, at % stored.length)) === undefined
        );
      },
    ),
  );
});

t.test('request numbers rise over restarts, lost state and full disks', async (t) => {
  const files = new MemoryFiles();
  let last = 0;
  let nowMs = 1000;
  const use = async (disk: MemoryFiles, count: number): Promise<void> => {
    const sequence = await RequestSequence.open(disk, () => nowMs);
    for (let index = 0; index < count; index++) {
      const next = await sequence.next();
      if (next <= last) t.fail(`${next} after ${last}`);
      last = next;
    }
  };
  await use(files, 3);
  const { writes } = files;
  await use(files, 900);
  t.equal(files.writes, writes + 1, 'no write per request');
  await use(files, 2500);
  nowMs = 1_000_000;
  await use(new MemoryFiles(), 3);
  files.full = true;
  nowMs = 2_000_000;
  await use(files, 1500);
  files.content.set('sequence', text('garbage'));
  nowMs = 3_000_000;
  await use(files, 3);
  t.ok(last > 3_000_000);
});

t.test('waits double up to the cap, with full jitter, and start anew after success', async (t) => {
  const highest = new Backoff(() => 0.999999);
  const waits = Array.from({ length: 40 }, () => highest.next());
  t.same(waits.slice(0, 3), [999, 1999, 3999]);
  t.ok(waits.every((wait) => wait < backoffCapMs));
  highest.reset();
  t.ok(highest.next() < backoffBaseMs);
  t.equal(new Backoff(() => 0).next(5000), 5000, 'never before the time that the server named');
});

t.test('run state that cannot be read is an empty memory', async (t) => {
  const files = new MemoryFiles();
  t.same(await loadRunState(files), {});
  await saveRunState(files, { passedVersion: 4 });
  t.match(await loadRunState(files), { passedVersion: 4 });
  files.content.set('state', files.content.get('state')!.slice(0, 20));
  t.same(await loadRunState(files), {});
});

t.test('files on a real disk are private, whole, and found again', async (t) => {
  const parent = mkdtempSync('/tmp/vigo-files-');
  t.teardown(() => rmSync(parent, { recursive: true, force: true }));
  const directory = `${parent}/deep/state`;
  const files = new NodeStateFiles(directory);
  t.equal(await files.read('a'), undefined);
  t.equal(await files.mode('a'), undefined);
  await files.replace('a', text('one'));
  await files.replace('a', text('two'));
  t.equal(String(await files.read('a')), 'two');
  t.equal(await files.mode('a'), 0o600);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  await files.append('log', 0, text('first'));
  await files.append('log', 5, text('second'));
  await files.append('log', 5, text('2nd'));
  t.equal(String(await files.read('log')), 'first2nd');
  t.equal(Buffer.from(await files.readAt('log', 5, 3)).toString(), '2nd');
  await files.remove('log');
  t.same(readdirSync(directory), ['a']);
  writeFileSync(`${directory}/file`, '');
  const blocked = new NodeStateFiles(`${directory}/file/beneath`);
  await t.rejects(blocked.replace('x', text('y')), { code: 'AGENT_STATE_WRITE' });
  await t.rejects(blocked.append('x', 0, text('y')), { code: 'AGENT_STATE_WRITE' });
  await t.rejects(blocked.read('x'), { code: 'AGENT_STATE_READ' });
});

t.test('two agents never share a state directory, and the one that runs answers', async (t) => {
  const directory = mkdtempSync('/tmp/vigo-lock-');
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  t.equal(await askRunning(directory), undefined);
  t.equal(await askRunning(`${directory}/missing`), undefined);
  const release = await lockInstance(directory, () => ({ uptimeMs: 5 }));
  await t.rejects(
    lockInstance(`${directory}/.`, () => ({})),
    { code: 'AGENT_ANOTHER_RUNS' },
  );
  t.same(await askRunning(`${directory}/.`), { pid: process.pid, facts: { uptimeMs: 5 } });
  const many = await Promise.all(Array.from({ length: 40 }, () => askRunning(directory)));
  t.ok(many.some((answer) => answer?.facts.uptimeMs === 5));
  t.match(await askRunning(directory), { pid: process.pid }, 'a crowd does not end it');
  release();
  t.equal(await askRunning(directory), undefined);
  const again = await lockInstance(directory, () => ({}));
  again();
});
