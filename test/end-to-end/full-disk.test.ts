import t from 'tap';
import { requires } from '../support/requires.ts';

t.setTimeout(240_000);

const child = new URL('./support/full-disk-child.ts', import.meta.url).pathname;
const skip = requires('root', 'linux', 'command:unshare', 'command:mount');

// The small file systems are mounted in a mount namespace of their own.
if (skip) t.test('full disks', { skip }, async () => undefined);
else
  t.spawn(
    'unshare',
    ['--mount', process.execPath, '--disable-warning=ExperimentalWarning', child],
    { timeout: 240_000 },
    'full disks',
  );
