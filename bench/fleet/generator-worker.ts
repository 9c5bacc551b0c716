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

port.on('message', (order: WorkerOrder) => {
  if (order === 'finish') {
    void finish();
    return;
  }
  load.startMeasuring();
  before = performance.eventLoopUtilization();
});

setInterval(() => say({ word: 'progress', counts: load.counts() }), progressMs).unref();
try {
  await load.connectAll();
  say({ word: 'progress', counts: load.counts() });
  say({ word: 'ready' });
} catch (error) {
  say({ word: 'failed', reason: error instanceof Error ? error.message : String(error) });
}
