import { parentPort, workerData } from 'node:worker_threads';
import { BenchError } from '../errors.ts';
import { FleetLoad } from './fleet-load.ts';
import { readIdentities } from './identities.ts';
import { SimulatedEnvoy } from './simulated-envoy.ts';
import type { WorkerOrder, WorkerStart, WorkerWord } from './worker-messages.ts';

const progressMs = 500;

const start = workerData as WorkerStart;
const port = parentPort;
if (!port) throw new BenchError('BENCH_GENERATOR', 'this is a worker thread');

function say(word: WorkerWord): void {
  port?.postMessage(word);
}

const identities = readIdentities(start.identitiesFile, start.to).slice(start.from, start.to);
const target = { host: start.host, port: start.port, caPem: start.caPem };
const envoys = identities.map((identity) => new SimulatedEnvoy(identity, target));
const load = new FleetLoad(envoys, start);

function failed(error: unknown): void {
  say({ word: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

let before = performance.eventLoopUtilization();

async function finish(): Promise<void> {
  const inWindow = load.counts();
  const { utilization } = performance.eventLoopUtilization(before);
  await load.finish();
  say({
    word: 'result',
    inWindow,
    counts: load.counts(),
    histograms: load.tally.histograms(),
    utilization,
  });
}

let last = performance.eventLoopUtilization();

function tellProgress(): void {
  const now = performance.eventLoopUtilization();
  const { utilization } = performance.eventLoopUtilization(now, last);
  last = now;
  const { p99: latencyP99Ms } = load.tally.checkInLatencies.summary();
  const watch = load.watch.progress();
  say({ word: 'progress', counts: load.counts(), watch, utilization, latencyP99Ms });
}

function obey(order: WorkerOrder): void {
  if (order.order === 'finish') void finish();
  else if (order.order === 'watch') load.watch.begin(Date.now(), order.version);
  else if (order.order === 'tell-watch') {
    say({ word: 'watched', times: load.watch.times(Date.now()) });
  } else if (order.order === 'burst') load.burst(order.share, order.atMs);
  else if (order.order === 'pace') load.pace(order.every, order.changed);
  else if (order.order === 'sign-ahead') {
    void load.signAhead(order.forMs).then(() => say({ word: 'signed' }), failed);
  } else {
    load.startMeasuring();
    before = performance.eventLoopUtilization();
    say({ word: 'measuring' });
  }
}

port.on('message', obey);
setInterval(tellProgress, progressMs).unref();
try {
  await load.connectAll();
  tellProgress();
  say({ word: 'ready' });
} catch (error) {
  failed(error);
}
