import { execFileSync } from 'node:child_process';
import t from 'tap';
import { requires } from '../../support/requires.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const child = new URL('../support/full-disk-child.ts', import.meta.url).pathname;

const skip = requires('root', 'linux', 'command:unshare', 'command:mount');
t.test('a full disk is a coded refusal that passes, not a loss', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" "$1"';
  const command = 'unshare';
  const output = execFileSync(
    command,
    ['--mount', 'sh', '-c', script, 'sh', directory, process.execPath, child],
    { encoding: 'utf8' },
  );
  const seen = JSON.parse(output) as Record<string, number | string>;
  t.equal(seen.code, 'SINK_DISK_FULL');
  t.equal(seen.drained, 'SINK_DISK_FULL');
  t.ok(Number(seen.acknowledged) > 0, 'something was acknowledged before');
  t.equal(seen.envoys, Number(seen.acknowledged) + 2, 'exactly what was acknowledged is there');
  t.equal(seen.head, Number(seen.acknowledged) + 2);
  t.match(seen.result, { sequence: 1, settled: [{ reportSequence: 1 }] });
});
