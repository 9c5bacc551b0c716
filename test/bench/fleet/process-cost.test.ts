import t from 'tap';
import { openFilesMax, processCpuUs, processRssKb } from '../../../bench/fleet/process-cost.ts';
import { Progress } from '../../../bench/fleet/progress.ts';
import { measureVerifyUs, medianOf } from '../../../bench/fleet/signing.ts';
import { requires } from '../../support/requires.ts';

/** Ticks of /proc are 10 ms long; other threads of this process may work beside. */
const toleranceUs = 100_000;

t.test('the cost of a process is what the kernel says', { skip: requires('linux') }, async (t) => {
  const own = process.cpuUsage();
  const difference = processCpuUs(process.pid) - (own.user + own.system);
  t.ok(Math.abs(difference) < toleranceUs, `${difference} µs apart`);
  const before = processCpuUs(process.pid);
  for (const untilUs = 60_000, from = process.cpuUsage(); ; ) {
    const { user, system } = process.cpuUsage(from);
    if (user + system > untilUs) break;
  }
  t.ok(processCpuUs(process.pid) > before, 'it grows with the work');
  const rssKb = process.memoryUsage.rss() / 1024;
  t.ok(Math.abs(processRssKb(process.pid) / rssKb - 1) < 0.5);
  t.ok(openFilesMax() > 0);
});

t.test('the cost of a verification is measured, not assumed', async (t) => {
  const rounds = measureVerifyUs(170, 3, 200);
  t.equal(rounds.length, 3);
  t.ok(medianOf(rounds) > 0);
  t.equal(medianOf([9, 1, 5]), 5);
  t.equal(medianOf([]), 0);
});

t.test('progress is a line on a terminal and silent in a file', async (t) => {
  for (const isTTY of [true, false]) {
    let written = '';
    const progress = new Progress({ isTTY, write: (text) => (written += text) });
    progress.show('half way');
    t.equal(written.includes('half way'), isTTY);
    progress.say('a step');
    t.ok(written.endsWith('a step\n'));
  }
});
