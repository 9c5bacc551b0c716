import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import type { RuntimeEvent } from '../../runtime/envelope.ts';
import { type Runtime, type RuntimeOptions, startRuntime } from '../../runtime/runtime.ts';
import { serviceCounterAddress } from './fixtures/kinds.ts';
import { codeOf } from './fixtures/world.ts';

const entry = (name: string) => new URL(`./fixtures/${name}.ts`, import.meta.url);
const deadline = { deadlineMs: 20_000 };

async function withRuntime(
  options: Partial<RuntimeOptions>,
  use: (runtime: Runtime, events: RuntimeEvent[]) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-threads-'));
  const events: RuntimeEvent[] = [];
  try {
    const runtime = await startRuntime({
      shards: 0,
      shardEntry: entry('fleet-entry'),
      serviceHosts: [
        { name: 'service-0', entry: entry('shard-entry'), kinds: ['service-counter'] },
      ],
      workerData: directory,
      onEvent: (event) => events.push(event),
      ...options,
    });
    try {
      await use(runtime, events);
    } finally {
      await runtime.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function until(done: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 400 && !done(); tries += 1) await wait(25);
  return done();
}

t.test('an orderly stop finishes the turn under way and keeps soft writes', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-threads-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const to = serviceCounterAddress('kept');
  await withRuntime({ workerData: directory }, async ({ system }) => {
    await system.ask(to, 'addSoon', 41, deadline);
    await system.ask(to, 'addSoon', 1, deadline);
  });
  await withRuntime({ workerData: directory }, async ({ system }) => {
    t.equal((await system.ask(to, 'read', undefined, deadline)).value, 42);
  });
});

t.test('jobs run in the pool; one that fails or does not exist has a code', async (t) => {
  await withRuntime({}, async (runtime) => {
    const module = entry('shard-entry');
    t.equal(await runtime.runJob(module, 'double', 21), 42);
    t.equal(await codeOf(runtime.runJob(module, 'missing', 1)), 'RUNTIME_JOB_FAILED');
  });
});

t.test('threads of the pool keep as little room for new objects as those of shards', async (t) => {
  await withRuntime({}, async (runtime) => {
    const megabytes = await runtime.runJob(entry('shard-entry'), 'youngGenerationMb', undefined);
    t.equal(megabytes, 12, 'the default is up to 48 MB, which come in steps over hours');
  });
});

t.test('a thread that dies too often is parked and reported, the rest goes on', async (t) => {
  const restart = { maxRestarts: 1, withinMs: 60_000 };
  await withRuntime({ restart, shards: 1 }, async (runtime, events) => {
    const replaced = () => events.some(({ type }) => type === 'thread.replaced');
    const parked = () => events.some(({ type }) => type === 'thread.parked');
    await runtime.kill('service-0');
    t.ok(await until(replaced));
    await runtime.kill('service-0');
    t.ok(await until(parked));
    const asked = runtime.system.ask(serviceCounterAddress('a'), 'read', undefined, deadline);
    t.equal(await codeOf(asked), 'RUNTIME_THREAD_GONE');
    const alive = runtime.system.request('shard-0', 'anything', undefined, 20_000);
    t.equal(await codeOf(alive), 'resolved');
  });
});

t.test('a thread that cannot start fails the start with its code', async (t) => {
  const broken = { name: 'service-0', entry: entry('broken-entry'), kinds: ['service-counter'] };
  const starting = withRuntime({ serviceHosts: [broken] }, async () => undefined);
  t.equal(await codeOf(starting), 'RUNTIME_START_FAILED');
});
