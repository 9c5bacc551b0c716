import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { FleetEntry } from '../actors/sink/fleet-batch.ts';
import { SinkWriter } from '../actors/sink/writer.ts';
import { measureVerifyUs, medianOf } from '../bench/fleet/signing.ts';
import { envoyIdOf, envoyRecord, reportEntry } from '../test/actors/support/sink.ts';
import { measuredCommit } from './support/measured-commit.ts';

/**
 * What does a report cost the one thread that writes the database? As the outboxes hand it over: the run
 * with two results, and the news of the envoy's state, which changes every second time; in batches as
 * small as at an idle fleet, and as large as under load. CPU time, in signature verifications.
 * Run: `node perf/sink.ts [--envoys 2000] [--reports 10000] [--batches 1,25,100,500] [--json]`.
 */
const { values } = parseArgs({
  options: {
    envoys: { type: 'string', default: '2000' },
    reports: { type: 'string', default: '10000' },
    batches: { type: 'string', default: '1,25,100,500' },
    json: { type: 'boolean', default: false },
  },
});
const envoys = Number(values.envoys);
const reports = Number(values.reports);
/** A batch of one takes an fsync each: fewer will do. */
const smallBatchReports = 1000;
const runsPerEnvoy = 4;
const converged = 0;
const drifting = 1;

function entriesOf(from: number, count: number): FleetEntry[] {
  return Array.from({ length: count }, (_, at) => {
    const number = from + at;
    const envoy = (number % envoys) + 1;
    const round = Math.floor(number / envoys) + 1;
    const lastSeenMs = Date.now();
    const state = round % 2 === 0 ? converged : drifting;
    const seen = { envoyId: envoyIdOf(envoy), lastSeenMs, state, driftRuns: 0 };
    const body = { ...seen, policyVersion: 1, agentVersion: '1.0.0' };
    const next = { storeId: 7, sequence: number * 2 + 2 };
    return [
      reportEntry(number * 2 + 1, envoy, round),
      { ...next, event: { type: 'envoy.seen', atMs: lastSeenMs, body } },
    ];
  }).flat();
}

async function measure(perBatch: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'vigo-sink-'));
  const writer = new SinkWriter({ file: join(directory, 'vigo.db'), runsPerEnvoy });
  try {
    await writer.write(
      Array.from({ length: envoys }, (_, at) => envoyRecord(at + 1)),
      [],
    );
    const count = perBatch === 1 ? Math.min(reports, smallBatchReports) : reports;
    const batches: FleetEntry[][] = [];
    for (let at = 0; at < count; at += perBatch) {
      batches.push(entriesOf(at, Math.min(perBatch, count - at)));
    }
    const before = process.cpuUsage();
    for (const batch of batches) await writer.drain('shard-0', batch);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  } finally {
    writer.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const verifyUs = medianOf(measureVerifyUs());
await measure(100);
const points: { batch: number; us: number; verifications: number }[] = [];
for (const batch of values.batches.split(',').map(Number)) {
  const us = await measure(batch);
  points.push({ batch, us: Math.round(us), verifications: Number((us / verifyUs).toFixed(2)) });
}
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
if (values.json) {
  process.stdout.write(
    `${JSON.stringify({ commit: measuredCommit, machine, verifyUs, points }, null, 2)}\n`,
  );
} else {
  process.stdout.write(`${envoys} envoys; ${machine.cpu}, Node ${machine.node}\n`);
  for (const { batch, us, verifications } of points) {
    process.stdout.write(
      `batches of ${batch}: ${us} µs per report, ${verifications} verifications\n`,
    );
  }
}
