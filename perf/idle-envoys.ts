import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Identity, readIdentities } from '../bench/fleet/identities.ts';
import { processCpuUs } from '../bench/fleet/process-cost.ts';
import { ServerUnderTest } from '../bench/fleet/server-under-test.ts';
import { SimulatedEnvoy } from '../bench/fleet/simulated-envoy.ts';
import { makeLargeFleet } from '../test/support/large-fleet.ts';
import { spreadId, writeIdleEnvoys } from './support/idle-envoys.ts';
import { measuredCommit } from './support/measured-commit.ts';
import { settledMemory } from './support/process-memory.ts';

/**
 * Claim: a server that knows a million envoys, none of them connected, holds at most 1 GB more than one that
 * knows none, and answers the first check-in at most 5 s after its process was begun. All of them are
 * enrolled, assigned and have checked in before: in the database with traits and runs, in the shards'
 * stores with claims and hot records. Those of four are real: they check in before and after, over mTLS,
 * signed. Memory is the kernel's account of the server's process: `anonymous` is its own, `file` is what it has mapped
 * of LMDB's files and of programs, which the kernel takes back when it needs room.
 * Run: `node perf/idle-envoys.ts [--envoys 1000000] [--shards 2] [--starts 3] [--keep] [--json]`.
 */
const { values } = parseArgs({
  options: {
    envoys: { type: 'string', default: '1000000' },
    shards: { type: 'string', default: '2' },
    starts: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    directory: { type: 'string' },
    'node-flags': { type: 'string' },
  },
});
const envoys = Number(values.envoys);
const shards = Number(values.shards);
const starts = Number(values.starts);
const realEnvoys = 4;
/** Nobody is offline for having been idle while this runs. */
const intervalMs = 3_600_000;
const answerLimitMs = 300_000;
const callLimitMs = 10_000;
const retryMs = 5;

interface Started {
  /** From the start of the process to the answer. */
  readonly answeredMs: number;
  /** What the process had spent by then, all threads: on a busy machine it tells more. */
  readonly answeredCpuMs: number;
  readonly servingMs: number;
}

function sizeOf(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function say(what: string): void {
  if (!values.json) console.log(what);
}

/** A connection and a signed check-in, again and again until one is answered. */
async function firstAnswer(server: ServerUnderTest, identity: Identity): Promise<void> {
  const untilMs = performance.now() + answerLimitMs;
  for (;;) {
    const { grpcPort: port, caPem } = server;
    const envoy = new SimulatedEnvoy(identity, { host: '127.0.0.1', port, caPem });
    try {
      await envoy.checkIn(performance.now() + callLimitMs);
      return;
    } catch (error) {
      server.check();
      if (performance.now() > untilMs) throw error;
      await sleep(retryMs);
    } finally {
      envoy.close();
    }
  }
}

async function start(server: ServerUnderTest, identity: Identity): Promise<Started> {
  const begunMs = performance.now();
  server.launch();
  let servingMs = Number.NaN;
  const serving = untilServing(server).then(() => {
    servingMs = performance.now() - begunMs;
  });
  // The port of the first start is taken again, so the envoy need not be told of it.
  if (server.grpcPort === 0) await serving;
  await firstAnswer(server, identity);
  const answeredMs = performance.now() - begunMs;
  const answeredCpuMs = processCpuUs(server.pid) / 1_000;
  await serving;
  return {
    ...{ answeredMs: Math.round(answeredMs), answeredCpuMs: Math.round(answeredCpuMs) },
    servingMs: Math.round(servingMs),
  };
}

/** A first start has more to do than a bench waits for. */
async function untilServing(server: ServerUnderTest): Promise<void> {
  for (const untilMs = performance.now() + answerLimitMs; ; ) {
    try {
      await server.serving();
      return;
    } catch (error) {
      server.check();
      if (performance.now() > untilMs) throw error;
    }
  }
}

/** Starts a server that knows `count` envoys, again and again. */
async function measure(directory: string, count: number) {
  const flags = values['node-flags'];
  const server = new ServerUnderTest(directory, {
    ...{ envoys: realEnvoys, intervalMs, shards },
    ...(flags === undefined ? {} : { nodeFlags: flags.split(' ') }),
  });
  try {
    const isPrepared = existsSync(join(directory, marks.stores));
    if (!isPrepared) await prepare(directory, server, count);
    const [identity] = readIdentities(server.identitiesFile, realEnvoys);
    if (identity === undefined) throw new Error('no identity');
    const figures: Started[] = [];
    for (let at = 0; at < starts; at += 1) {
      if (at > 0 || isPrepared) await server.stop();
      figures.push(await start(server, identity));
      say(`${count} envoys: ${JSON.stringify(figures.at(-1))}`);
    }
    const memory = await settledMemory(server.pid);
    say(`${count} envoys: ${JSON.stringify(memory)}`);
    const status = await server.figures();
    return {
      starts: figures,
      memory,
      heapBytes: status.shards.map(({ figures: of }) => of?.heapUsedBytes ?? 0),
      databaseBytes: sizeOf(join(server.home, 'db')),
      stateBytes: sizeOf(join(server.home, 'state')),
    };
  } finally {
    await server.stop();
  }
}

/** Of a directory that is kept: what a run before has made in it. */
const marks = { database: 'in-database', stores: 'in-stores' };

async function prepare(directory: string, server: ServerUnderTest, count: number): Promise<void> {
  const nowMs = Date.now();
  if (!existsSync(join(directory, marks.database))) {
    await server.prepare();
    if (count > 0) await makeLargeFleet(server.databaseFile, count, nowMs, spreadId);
    writeFileSync(join(directory, marks.database), '');
    say(`${count} envoys: in the database`);
  }
  server.launch();
  await untilServing(server);
  await server.publish();
  for (const identity of readIdentities(server.identitiesFile, realEnvoys)) {
    await firstAnswer(server, identity);
  }
  await server.stop();
  if (count > 0) await writeIdleEnvoys({ home: server.home, shards, count, nowMs });
  writeFileSync(join(directory, marks.stores), '');
  say(`${count} envoys: in the stores`);
}

const directory = values.directory ?? mkdtempSync(join(tmpdir(), 'vigo-idle-'));
try {
  const known = envoys - realEnvoys;
  const folders = ['empty', `known-${known}`].map((name) => join(directory, name));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const empty = await measure(folders[0] as string, 0);
  const full = await measure(folders[1] as string, known);
  const answered = full.starts.map(({ answeredMs }) => answeredMs).sort((a, b) => a - b);
  const result = {
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    node: process.version,
    commit: measuredCommit,
    date: new Date().toISOString().slice(0, 10),
    envoys,
    shards,
    firstAnswerMs: answered[Math.floor(answered.length / 2)],
    moreMb: {
      rss: full.memory.rssMb - empty.memory.rssMb,
      anonymous: full.memory.anonymousMb - empty.memory.anonymousMb,
      file: full.memory.fileMb - empty.memory.fileMb,
    },
    empty,
    full,
  };
  if (values.keep) {
    const file = new URL('results/idle-envoys.json', import.meta.url);
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  }
  process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
} finally {
  if (values.directory === undefined) rmSync(directory, { recursive: true, force: true });
}
