import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { nodePorts } from '../../../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../../../runtime/recovery.ts';
import { requires } from '../../support/requires.ts';
import { temporaryDirectory, testTable } from '../../support/store-fixture.ts';

const kills = 20;
const things = testTable();
const writer = fileURLToPath(new URL('./children/writing-process.ts', import.meta.url));

interface Heard {
  storeId: number;
  recovered: string;
  durableThrough: number;
}

/** Runs the writer and kills it after some acknowledged batches. */
async function writeUntilKilled(directory: string, start: number, batches: number): Promise<Heard> {
  const child: ChildProcess = spawn(process.execPath, [writer, directory, String(start)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const heard: Heard = { storeId: 0, recovered: '', durableThrough: start - 1 };
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout! })) {
    const [word, first, second] = line.split(' ');
    if (word === 'open') {
      heard.storeId = Number(first);
      heard.recovered = second ?? '';
    }
    if (word !== 'durable') continue;
    heard.durableThrough = Number(second);
    acknowledged += 1;
    if (acknowledged >= batches) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return heard;
}

t.test(`kill -9 of the writing process, ${kills} times, loses nothing acknowledged`, async (t) => {
  const directory = temporaryDirectory();
  t.teardown(directory.remove);
  let next = 0;
  let storeId = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const heard = await writeUntilKilled(directory.path, next, 1 + ((kill * 5) % 17));
    if (heard.recovered !== 'whole') t.fail(`start ${kill} found ${heard.recovered}`);
    if (kill > 0 && heard.storeId !== storeId) t.fail('the store lost its identity');
    storeId = heard.storeId;
    next = heard.durableThrough + 1;
  }
  const { store, recovery } = await openLmdbStore({
    directory: directory.path,
    ports: nodePorts(),
  });
  t.equal(recovery, undefined);
  const missing: number[] = [];
  for (let n = 0; n < next; n += 1) {
    const whole =
      store.get(things, `a${n}`) !== undefined && store.get(things, `b${n}`) !== undefined;
    if (!whole) missing.push(n);
  }
  t.ok(next > kills * 8, `${next} transactions were acknowledged`);
  t.strictSame(missing, []);
  const halves = [...store.range(things, { limit: 100_000 })].filter(
    ([key]) => store.get(things, `${key.startsWith('a') ? 'b' : 'a'}${key.slice(1)}`) === undefined,
  );
  t.strictSame(halves, [], 'no transaction is there by half');
  await store.close();
});

/** Runs a program under strace, which makes system calls of lmdb's files fail. */
function runWithFault(program: string, directory: string, inject: string): string {
  const trace = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${inject.split(':')[0]}`,
    '-e',
    `inject=${inject}`,
  ];
  const { stdout } = spawnSync('strace', [...trace, process.execPath, program, directory, '0'], {
    encoding: 'utf8',
    // strace counts calls per thread: one thread makes "the Nth flush" what it says.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

t.test(
  'after a failed flush the store takes nothing more, and a restart has all that was durable',
  {
    skip: requires('linux', 'command:strace'),
  },
  async (t) => {
    const directory = temporaryDirectory();
    t.teardown(directory.remove);
    const output = runWithFault(writer, directory.path, 'fdatasync:error=EIO:when=8+');
    t.match(output, /refused RUNTIME_STORE_FAILED/);
    t.match(output, /reading RUNTIME_STORE_FAILED/, 'state that may be gone is not shown');
    const durable = [...output.matchAll(/durable \d+ (\d+)/g)].map(([, last]) => Number(last));
    t.ok(durable.length > 0, 'the first flushes went well');
    const { store, recovery } = await openLmdbStore({
      directory: directory.path,
      ports: nodePorts(),
    });
    t.equal(recovery, undefined);
    for (let n = 0; n <= Math.max(...durable); n += 1) {
      if (store.get(things, `b${n}`) === undefined) t.fail(`row ${n} was acknowledged and is gone`);
    }
    await store.close();
  },
);

t.test(
  'after a failed flush a new owner in the same process has the last durable state, not the failed one',
  { skip: requires('linux', 'command:strace') },
  async (t) => {
    const directory = temporaryDirectory();
    t.teardown(directory.remove);
    const program = fileURLToPath(new URL('./children/failed-flush-thread.ts', import.meta.url));
    const output = runWithFault(program, directory.path, 'fdatasync:error=EIO:when=12');
    t.strictSame(output.trim().split('\n'), [
      'failed RUNTIME_STORE_FAILED',
      'again whole true',
      'kept 1 true',
      'writes none',
      'reader current false',
      'reads new',
    ]);
  },
);

t.test(
  'a full disk refuses writes by code, reading goes on, and writing too when there is space',
  {
    skip: requires('root', 'linux', 'command:unshare'),
  },
  async (t) => {
    const directory = temporaryDirectory();
    t.teardown(directory.remove);
    const program = fileURLToPath(new URL('./children/full-disk-process.ts', import.meta.url));
    const root = dirname(directory.path);
    const script = 'mount -t tmpfs -o size=3m vigo-test "$1" && exec "$2" "$3" "$1"';
    const { stdout, stderr, status } = spawnSync(
      'unshare',
      ['-m', '--propagation', 'private', 'sh', '-c', script, 'sh', root, process.execPath, program],
      { encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL' },
    );
    const lines = stdout.split('\n');
    t.equal(status, 0, stderr);
    t.ok(lines.includes('refused RUNTIME_STORE_DISK_FULL'), stdout);
    t.ok(lines.includes('read true'), stdout);
    t.ok(lines.includes('again durable'), stdout);
    t.ok(lines.includes('whole true'), stdout);
  },
);
