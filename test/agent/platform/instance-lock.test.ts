import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { askRunning, lockInstance } from '../../../agent/platform/instance-lock.ts';
import { requires } from '../../support/requires.ts';

/** Account that owns nothing. */
const nobody = 65534;

/** Another user's process that listens on abstract names and answers `say` to everybody. */
async function stranger(names: readonly string[], say: string): Promise<ChildProcess> {
  const program = `const names = ${JSON.stringify(names)}; let left = names.length;
    for (const name of names) require('node:net').createServer((s) => s.end(${JSON.stringify(say)}))
      .listen('\\0' + name, () => { if (--left === 0) console.log('ready'); });`;
  const child = spawn(process.execPath, ['-e', program], {
    cwd: '/',
    uid: nobody,
    gid: nobody,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}

t.test(
  'a user without rights cannot keep the agent from starting',
  { skip: requires('root', 'linux') },
  async (t) => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'vigo-lock-')));
    const digest = createHash('sha256').update(directory).digest('hex').slice(0, 32);
    const names = [
      `vigo-agent-${digest}`,
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `vigo-agent-${digest}-${n}`),
    ];
    const child = await stranger(names.slice(0, 2), JSON.stringify({ pid: 1, version: 'a lie' }));
    t.teardown(() => {
      child.kill();
      rmSync(directory, { recursive: true });
    });
    const release = await lockInstance(directory, () => ({}));
    t.match(await askRunning(directory), { pid: process.pid }, 'and is not believed by root');
    await t.rejects(
      lockInstance(directory, () => ({})),
      { code: 'AGENT_ANOTHER_RUNS' },
    );
    release();
    const more = await stranger(names.slice(2), '');
    t.teardown(() => more.kill());
    await t.rejects(
      lockInstance(directory, () => ({})),
      {
        code: 'AGENT_LOCK_TAKEN',
        message: new RegExp(`user ${nobody}`),
      },
    );
  },
);
