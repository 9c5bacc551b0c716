import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { createPolicyView } from '../actors/envoy/policy-view.ts';
import { policyTables } from '../actors/policy/tables.ts';
import { publishKind } from '../actors/publish/actor.ts';
import { publishAddress } from '../actors/publish/messages.ts';
import { publishWriterKind } from '../actors/publish/writer.ts';
import { sodiumVerifier } from '../actors/server/crypto/sodium.ts';
import type { SinkMessages } from '../actors/sink/messages.ts';
import { standardLayout } from '../agent/policy/guardrails.ts';
import type { ActorKind } from '../runtime/actor.ts';
import { bytesCodec, msgpackCodec } from '../runtime/codecs.ts';
import { LmdbReader } from '../runtime/lmdb-reader.ts';
import { Outbox } from '../runtime/outbox.ts';
import { nodePorts } from '../runtime/ports/node-ports.ts';
import { openLmdbStore } from '../runtime/recovery.ts';
import type { Operation, Table } from '../runtime/store.ts';
import { ThreadSystem } from '../runtime/system.ts';
import { measuredCommit } from './support/measured-commit.ts';

/**
 * Claim: after a change of one module, a fleet of 100,000 known envoys has its new roots in under 5 s. Measures
 * the publish actor on a real store and disk, without SQL: the first publish (a group for every
 * envoy), a change of one module that every envoy has, a change of the entries' patterns, a rollback. Beside it the
 * reference of the same run: writing one row per envoy in the same batches.
 * Run: `node perf/publish.ts` (`--json` keeps the result in perf/results/publish.json).
 */
const envoyTotal = Number(process.env.ENVOYS ?? 100_000);
const moduleTotal = 1000;
const resourcesPerModule = 10;
const entryTotal = 100;
const batch = 5000;
const deadlineMs = 600_000;

const tables = policyTables(msgpackCodec, bytesCodec);
const directory = mkdtempSync(join(tmpdir(), 'vigo-perf-publish-'));
const stacks = join(directory, 'stacks');

/** What the database is told is not part of the claim. */
const sinkDouble: ActorKind<undefined, SinkMessages> = {
  name: 'sink',
  placement: 'service',
  mailboxLimit: 100,
  idleAfterMs: 0,
  restart: { maxRestarts: 1, withinMs: 1000 },
  activate: () => undefined,
  handlers: { write: () => ({ auditSequence: 1 }) } as never,
};

const hostname = (index: number) => `web-${index % entryTotal}-${index}.example.com`;
const envoyId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

async function writeStack(change: string, order: 'up' | 'down'): Promise<void> {
  await mkdir(join(stacks, 'modules'), { recursive: true });
  for (let index = 0; index < moduleTotal; index++) writeModule(index, index === 0 ? change : '');
  const entries = Array.from({ length: entryTotal }, (_, index) => {
    const own = Array.from({ length: 9 }, (_, at) => (index * 9 + at) % (moduleTotal - 1));
    const names = [0, ...own.map((at) => at + 1)].map((at) => `m${at}`);
    const pattern = order === 'up' ? `web-${index}-*` : `web-${index}-*.example.com`;
    return `  - {match: "${pattern}", modules: [${names.join(', ')}]}\n`;
  });
  writeFileSync(join(stacks, 'site.vgo'), `envoys:\n${entries.join('')}`);
}

function writeModule(index: number, change: string): void {
  const resources = Array.from(
    { length: resourcesPerModule },
    (_, at) =>
      `  - {type: file, target_path: /etc/m${index}/f${at}, content: "${index} ${at} ${change}"}\n`,
  );
  const text = `name: m${index}\nresources:\n${resources.join('')}`;
  writeFileSync(join(stacks, `modules/m${index}.vgo`), text);
}

const { store } = await openLmdbStore({ directory: join(directory, 'state'), ports: nodePorts() });
const kinds = [
  publishKind({
    stackDirectory: stacks,
    liveDirectory: join(directory, '.live'),
    tables,
    crypto: sodiumVerifier,
    layout: standardLayout,
    settings: {
      approvalRequired: false,
      candidateExpiryMs: 1000,
      freezeWindows: [],
      rollout: { stages: [], observeMs: 0, threshold: 0, leastConverged: 0, onFailure: 'pause' },
    },
    record: () => undefined,
    intervalMs: 15_000,
  }),
  publishWriterKind(tables),
  sinkDouble,
];
const system = new ThreadSystem({
  thread: 'service',
  topology: {
    threads: [{ name: 'service', role: 'service' }],
    services: Object.fromEntries(kinds.map(({ name }) => [name, 'service'])),
  },
  kinds: kinds as never,
  ports: nodePorts(),
  store,
  outbox: await Outbox.open(store),
  stores: {},
});
system.start();

async function putAll(table: Table<unknown>, value: (index: number) => unknown): Promise<number> {
  const started = performance.now();
  for (let from = 0; from < envoyTotal; from += batch) {
    const operations = Array.from(
      { length: Math.min(batch, envoyTotal - from) },
      (_, at): Operation => ({
        op: 'put',
        table,
        key: envoyId(from + at),
        value: value(from + at),
      }),
    );
    await store.transact(operations).durable;
  }
  return Math.round(performance.now() - started);
}

interface Timed {
  readonly ms: number;
  /** Of all threads of this process. */
  readonly cpuMs: number;
  /** Longest time that nothing else of the thread had its turn. */
  readonly blockedMs: number;
  readonly changedEnvoys: number;
}

async function timed(run: () => Promise<{ changedEnvoys: number }>): Promise<Timed> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const started = performance.now();
  const before = process.cpuUsage();
  const { changedEnvoys } = await run();
  const ms = Math.round(performance.now() - started);
  const { user, system: kernel } = process.cpuUsage(before);
  const cpuMs = Math.round((user + kernel) / 1000);
  delay.disable();
  return { ms, cpuMs, blockedMs: Math.round(delay.max / 1e6), changedEnvoys };
}

const publish = () =>
  timed(() =>
    system.ask(publishAddress(), 'publish', { message: 'perf', by: 'admin:perf' }, { deadlineMs }),
  );

try {
  const identity = (index: number) => ({
    hostname: hostname(index),
    publicKey: new Uint8Array(32),
    revoked: false,
    settledReportSequence: 0,
  });
  await putAll(tables.identities as Table<unknown>, identity);
  await writeStack('one', 'up');
  const first = await publish();
  writeModule(0, 'two');
  const oneModule = await publish();
  const view = createPolicyView(
    new LmdbReader(join(directory, 'state')),
    tables,
    nodePorts().clock,
  );
  const started = performance.now();
  const roots = new Set<string>();
  for (let index = 0; index < envoyTotal; index++) {
    roots.add(Buffer.from(view.assigned(envoyId(index)).root ?? []).toString('hex'));
  }
  const lookUpUs = ((performance.now() - started) / envoyTotal) * 1000;
  const rolledBack = await timed(() =>
    system.ask(publishAddress(), 'rollback', { message: 'perf', by: 'admin:perf' }, { deadlineMs }),
  );
  await writeStack('one', 'down');
  const newPatterns = await publish();
  const scratch = { ...tables.assignments, name: 'reference' } as Table<unknown>;
  const referenceMs = await putAll(scratch, () => ({ group: 'a'.repeat(16), since: 1 }));
  const result = {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    node: process.version,
    commit: measuredCommit,
    envoys: envoyTotal,
    stack: {
      modules: moduleTotal,
      resources: moduleTotal * resourcesPerModule,
      entries: entryTotal,
    },
    first,
    oneModule,
    newPatterns,
    rolledBack,
    lookUpUs: Number(lookUpUs.toFixed(2)),
    roots: roots.size,
    referenceMs,
    ratio: Number((oneModule.ms / referenceMs).toFixed(2)),
  };
  console.log(JSON.stringify(result, null, 2));
  if (process.argv.includes('--json')) {
    const path = new URL('results/publish.json', import.meta.url);
    writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  }
} finally {
  await system.stop();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}
