import { setTimeout as sleep } from 'node:timers/promises';
import { uuidToText } from '../../agent/protocol/uuid.ts';
import { readIdentities } from '../../bench/fleet/identities.ts';
import {
  ServerUnderTest,
  type ServerUnderTestOptions,
} from '../../bench/fleet/server-under-test.ts';
import { SimulatedEnvoy } from '../../bench/fleet/simulated-envoy.ts';
import { TestDatabase } from '../../test/end-to-end/support/database.ts';
import { type KillCounts, KillReporter } from './kill-reporter.ts';
import { seededRandom } from './seeded-random.ts';

const intervalMs = 60_000;
const sweepMs = 250;
const pollMs = 2;
const firstAnswerLimitMs = 60_000;
const drainLimitMs = 120_000;
/** After the first answer, until the kill. */
const serveMs = { least: 20, most: 1500 };
/** Share of kills that hit the server while it starts, and when, after its start. */
const duringStart = { share: 0.1, mostMs: 600 };

export interface KillOptions {
  readonly kills: number;
  readonly envoys: number;
  /** The same seed draws the same moments. */
  readonly seed: number;
  /** Between two reports of one envoy, on average. */
  readonly pauseMs: number;
  readonly directory: string;
  readonly programs?: ServerUnderTestOptions['programs'];
  /** When it aborts, the kills done so far are judged. */
  readonly signal?: AbortSignal;
  readonly onKill?: (done: number, restartMs: number | undefined) => void;
}

/** Times in milliseconds. */
export interface KillResult {
  readonly kills: number;
  readonly kills_during_start: number;
  readonly envoys: number;
  readonly seed: number;
  readonly acknowledged: number;
  /** Acknowledged reports that the database lacks. */
  readonly lost: number;
  /** Acknowledged reports that the database has more than once. */
  readonly duplicated: number;
  readonly audit_entries: number;
  /** From the start of the process to the first check-in answered. */
  readonly restart_ms: { readonly p50: number; readonly max: number; readonly count: number };
  readonly errors: Readonly<Record<string, number>>;
}

/**
 * Kills the server again and again under reporting envoys. Rejects when it does not come back, or
 * when the audit chain does not verify.
 */
export async function killRun(options: KillOptions): Promise<KillResult> {
  const { envoys, directory, programs } = options;
  const settings = 'database:\n  runs_per_envoy: 1000000\n';
  const server = new ServerUnderTest(directory, {
    ...{ envoys, intervalMs, settings, shards: 0 },
    ...(programs === undefined ? {} : { programs }),
  });
  await server.prepare();
  await server.start();
  try {
    await server.publish();
    const counts: KillCounts = { firstAnswerMs: 0, sinceMs: 0, errors: new Map() };
    const reporters = makeReporters(server, options, counts);
    const running = reporters.map((reporter) => reporter.run());
    const sweep = setInterval(() => {
      const nowMs = performance.now();
      for (const { envoy } of reporters) envoy.expire(nowMs);
    }, sweepMs);
    const kills = await killOften(server, options, counts);
    for (const reporter of reporters) reporter.stop();
    await Promise.all(running);
    clearInterval(sweep);
    await drained(server);
    await server.stop();
    return await judge(server.databaseFile, options, { reporters, counts, kills });
  } finally {
    await server.kill();
  }
}

function makeReporters(
  server: ServerUnderTest,
  { envoys, seed, pauseMs }: KillOptions,
  counts: KillCounts,
): KillReporter[] {
  const target = { host: '127.0.0.1', port: server.grpcPort, caPem: server.caPem };
  const random = seededRandom(seed + 1);
  return readIdentities(server.identitiesFile, envoys).map(
    (identity) => new KillReporter(new SimulatedEnvoy(identity, target), counts, random, pauseMs),
  );
}

interface Kills {
  readonly done: number;
  readonly restartsMs: number[];
  readonly duringStart: number;
}

async function killOften(
  server: ServerUnderTest,
  { kills, seed, onKill, signal }: KillOptions,
  counts: KillCounts,
): Promise<Kills> {
  const random = seededRandom(seed);
  const restartsMs: number[] = [];
  let killedDuringStart = 0;
  let done = 0;
  await firstAnswer(server, counts);
  await sleep(serveMs.most);
  while (done < kills && !signal?.aborted) {
    done += 1;
    await server.kill();
    counts.firstAnswerMs = 0;
    counts.sinceMs = performance.now();
    server.launch();
    const early = done < kills && random() < duringStart.share;
    if (early) {
      killedDuringStart += 1;
      await sleep(random() * duringStart.mostMs);
      onKill?.(done, undefined);
      continue;
    }
    const restartMs = (await firstAnswer(server, counts)) - counts.sinceMs;
    restartsMs.push(restartMs);
    onKill?.(done, restartMs);
    await sleep(serveMs.least + random() * (serveMs.most - serveMs.least));
  }
  return { done, restartsMs, duringStart: killedDuringStart };
}

async function firstAnswer(server: ServerUnderTest, counts: KillCounts): Promise<number> {
  const untilMs = performance.now() + firstAnswerLimitMs;
  while (counts.firstAnswerMs === 0) {
    server.check();
    if (performance.now() > untilMs) throw new Error('no check-in was answered after a restart');
    await sleep(pollMs);
  }
  return counts.firstAnswerMs;
}

/** Waits until the sink has taken over every event. */
async function drained(server: ServerUnderTest): Promise<void> {
  await server.serving();
  const untilMs = performance.now() + drainLimitMs;
  for (;;) {
    const { shards } = await server.figures();
    if (shards.length > 0 && shards.every(({ outboxEntries }) => outboxEntries === 0)) return;
    if (performance.now() > untilMs) throw new Error('the sink did not take over every event');
    await sleep(sweepMs);
  }
}

async function judge(
  file: string,
  { envoys, seed }: KillOptions,
  run: { reporters: readonly KillReporter[]; counts: KillCounts; kills: Kills },
): Promise<KillResult> {
  const database = new TestDatabase(file);
  const kept = new Map<string, number>();
  for (const row of database.rows<StoredRun>(
    'SELECT envoy_id, report_sequence, run_id FROM runs',
  )) {
    const name = `${row.envoy_id} ${row.report_sequence} ${row.run_id}`;
    kept.set(name, (kept.get(name) ?? 0) + 1);
  }
  const promised = run.reporters.flatMap(({ envoy, acknowledged }) =>
    acknowledged.map(({ sequence, runId }) => `${envoy.envoyId} ${sequence} ${uuidToText(runId)}`),
  );
  const { sequence: auditEntries } = await database.verifyAudit();
  const restarts = run.kills.restartsMs.map(Math.round).sort((a, b) => a - b);
  return {
    kills: run.kills.done,
    kills_during_start: run.kills.duringStart,
    envoys,
    seed,
    acknowledged: promised.length,
    lost: promised.filter((name) => !kept.has(name)).length,
    duplicated: promised.filter((name) => (kept.get(name) ?? 0) > 1).length,
    audit_entries: auditEntries,
    restart_ms: {
      p50: restarts[Math.floor(restarts.length / 2)] ?? 0,
      max: restarts.at(-1) ?? 0,
      count: restarts.length,
    },
    errors: Object.fromEntries([...run.counts.errors].sort()),
  };
}

interface StoredRun {
  readonly envoy_id: string;
  readonly report_sequence: number;
  readonly run_id: string;
}
