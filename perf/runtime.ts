import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nodePorts } from '../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../runtime/recovery.ts';
import { startRuntime } from '../runtime/runtime.ts';
import type { Operation } from '../runtime/store.ts';
import { ThreadSystem } from '../runtime/system.ts';
import {
  echo,
  echoKinds,
  seen,
  seenHardKind,
  seenKind,
  seenSoftKind,
  seenTable,
} from './support/engine-kinds.ts';
import { askMany, perSecond, tellMany } from './support/engine-load.ts';
import { measuredCommit } from './support/measured-commit.ts';

/**
 * The actor engine beside Erlang/OTP doing the same on the same machine in the same run. Rates are
 * per second of CPU time of the whole process (with the garbage collector's threads), best of three.
 * Run: `node perf/runtime.ts` (`--json` for programs, `--keep` to write perf/results).
 */
const messageTotal = 1_000_000;
const activationTotal = 100_000;
const rowTotal = 20_000;
const actorTotal = 100_000;
/** Activations under way at once; more for those that wait for a commit, as on a busy shard. */
const lanes = { seen: 20, 'seen-soft': 20, 'seen-hard': 500 };

type Figures = Record<string, number | undefined>;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function best(measure: () => Promise<number>): Promise<number> {
  const rates = [await measure(), await measure(), await measure()];
  return Math.max(...rates);
}

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function localSystem(directory: string): Promise<ThreadSystem> {
  const ports = nodePorts();
  const { store } = await openLmdbStore({ directory, ports });
  const rows = Array.from(
    { length: rowTotal },
    (_, index): Operation => ({
      op: 'put',
      table: seenTable as Operation['table'],
      key: `key-${index}`,
      value: { lastSeenMs: ports.clock.nowMs(), sequence: 5, state: 1 },
    }),
  );
  await store.transact(rows).committed;
  return new ThreadSystem({
    thread: 'local',
    topology: { threads: [{ name: 'local', role: 'service' }], services: {} },
    kinds: [...echoKinds, seenKind, seenSoftKind, seenHardKind],
    ports,
    store,
  });
}

async function activations(
  system: ThreadSystem,
  kind: 'seen' | 'seen-soft' | 'seen-hard',
): Promise<number> {
  let started = 0;
  const startedCpu = process.cpuUsage();
  const lane = async () => {
    while (started < activationTotal) {
      started += 1;
      const to = seen(kind, `key-${started % rowTotal}`);
      await system.ask(to, 'checkIn', started, { deadlineMs: 60_000 });
    }
  };
  await Promise.all(Array.from({ length: lanes[kind] }, lane));
  return perSecond(activationTotal, startedCpu);
}

/** JS heap per actor: passivated (only its claim is in memory) and in memory with its state. */
async function actorBytes(system: ThreadSystem, figures: Figures): Promise<void> {
  const before = heapBytes();
  const claims: Promise<void>[] = [];
  for (let index = 0; index < actorTotal; index += 1) {
    claims.push(system.claim(seen('seen', `claimed-${index}`)));
    if (claims.length === 1_000) await Promise.all(claims.splice(0));
  }
  await Promise.all(claims);
  figures.bytes_idle = Math.round((heapBytes() - before) / actorTotal);
  const between = heapBytes();
  for (let index = 0; index < actorTotal; index += 1) {
    system.tell({ ...echo('echo-a'), key: `active-${index}` }, 'count', 1);
  }
  await system.ask(echo('echo-a'), 'echo', 1, { deadlineMs: 60_000 });
  figures.bytes_active = Math.round((heapBytes() - between) / actorTotal);
}

async function measureLocal(directory: string): Promise<Figures> {
  const system = await localSystem(join(directory, 'local'));
  const figures: Figures = {};
  figures.ask_local = await best(() => askMany(system, echo('echo-a'), messageTotal));
  figures.tell_local = await best(() => tellMany(system, echo('echo-a'), messageTotal));
  figures.activations = await best(() => activations(system, 'seen'));
  figures.activations_soft = await best(() => activations(system, 'seen-soft'));
  figures.activations_committed = await best(() => activations(system, 'seen-hard'));
  await actorBytes(system, figures);
  await system.stop();
  return figures;
}

async function measureThreads(directory: string): Promise<Figures> {
  const entry = new URL('./support/engine-entry.ts', import.meta.url);
  const runtime = await startRuntime({
    shards: 0,
    shardEntry: entry,
    serviceHosts: [
      { name: 'service-a', entry, kinds: ['echo-a'] },
      { name: 'service-b', entry, kinds: ['echo-b'] },
    ],
    jobThreads: 0,
    workerData: directory,
  });
  const order = async (name: string, count: number) =>
    Number(await runtime.system.request('service-a', name, { count }, 120_000));
  const figures: Figures = {
    ask_threads: await best(() => order('asks', messageTotal)),
    tell_threads: await best(() => order('tells', messageTotal)),
  };
  await runtime.stop();
  return figures;
}

/** Undefined when this machine has no Erlang. */
function measureErlang(directory: string): Figures | undefined {
  const source = fileURLToPath(new URL('./erlang/engine.erl', import.meta.url));
  const run = (schedulers: string, what: string): Figures => {
    // Schedulers that spin while they wait would count as work.
    const still = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];
    const command = [
      '+S',
      schedulers,
      ...still,
      '-noshell',
      '-pa',
      directory,
      '-run',
      'engine',
      'main',
      what,
    ];
    const printed = execFileSync('erl', command, { encoding: 'utf8' });
    const lines = printed.trim().split('\n');
    return Object.fromEntries(lines.map((line) => line.split(' ')).map(([k, v]) => [k, Number(v)]));
  };
  try {
    execFileSync('erlc', ['-o', directory, source], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { ...run('1:1', 'one'), ...run('2:2', 'threads') };
}

const titles: Record<string, string> = {
  ask_local: 'ask and answer, one thread, per CPU second',
  tell_local: 'one-way messages, one thread, per CPU second',
  ask_threads: 'ask and answer, two threads, per CPU second',
  tell_threads: 'one-way messages, two threads, per CPU second',
  activations: 'activate, read row, turn, passivate, per CPU second',
  activations_soft: 'the same with a soft write, per CPU second',
  activations_committed: 'the same with a committed write, per CPU second',
  bytes_idle: 'bytes per idle actor',
  bytes_active: 'bytes per active actor',
};

function ratio(own: number | undefined, reference: number | undefined): number | string {
  if (own === undefined || reference === undefined) return '-';
  return Number((own / reference).toFixed(2));
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-perf-'));
  try {
    const vigo = { ...(await measureLocal(directory)), ...(await measureThreads(directory)) };
    const erlang = measureErlang(directory);
    const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}`;
    const result = { machine, node: process.version, commit: measuredCommit, vigo, erlang };
    if (process.argv.includes('--keep')) {
      const folder = new URL('./results/', import.meta.url);
      mkdirSync(folder, { recursive: true });
      writeFileSync(new URL('runtime.json', folder), `${JSON.stringify(result, null, 2)}\n`);
    }
    if (process.argv.includes('--json')) {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      return;
    }
    console.log(`${machine}, Node ${process.version}, commit ${result.commit}`);
    console.table(
      Object.entries(titles).map(([name, what]) => ({
        what,
        vigo: (vigo as Figures)[name],
        erlang: erlang?.[name] ?? '-',
        ratio: ratio((vigo as Figures)[name], erlang?.[name]),
      })),
    );
    if (!erlang) console.log('For the Erlang column: apt-get install -y erlang-base');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
