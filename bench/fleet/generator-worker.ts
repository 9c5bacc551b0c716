import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { BenchError } from '../errors.ts';
import { CallError } from './channel.ts';
import { Latencies } from './histogram.ts';
import { readIdentities } from './identities.ts';
import { SimulatedEnvoy } from './simulated-envoy.ts';
import type { WorkerCounts, WorkerOrder, WorkerStart, WorkerWord } from './worker-messages.ts';

const progressMs = 500;
/** Handshakes in flight per worker: enough to keep both sides busy. */
const handshakesMax = 16;
const errorCodesMax = 100;
const retryMs = 1000;

const start = workerData as WorkerStart;
const port = parentPort;
if (!port) throw new BenchError('BENCH_GENERATOR', 'this is a worker thread');

let connected = 0;
let done = 0;
let reports = 0;
let missed = 0;
let measuring = false;
let finished = false;
let errors: Record<string, number> = {};
let checkInLatencies = new Latencies();
let reportLatencies = new Latencies();

const listener = {
  checkedIn(latencyUs: number) {
    done += 1;
    checkInLatencies.record(latencyUs);
  },
  reported(latencyUs: number) {
    reports += 1;
    reportLatencies.record(latencyUs);
  },
  missed() {
    missed += 1;
  },
  failed(code: string) {
    if (code in errors || Object.keys(errors).length < errorCodesMax) {
      errors[code] = (errors[code] ?? 0) + 1;
    }
  },
};

function counts(): WorkerCounts {
  return { connected, done, reports, missed, errors };
}

function say(word: WorkerWord): void {
  port?.postMessage(word);
}

port.on('message', (order: WorkerOrder) => {
  if (order === 'measure') {
    measuring = true;
    done = 0;
    reports = 0;
    missed = 0;
    errors = {};
    checkInLatencies = new Latencies();
    reportLatencies = new Latencies();
    return;
  }
  finished = true;
  say({
    word: 'result',
    counts: counts(),
    checkIns: checkInLatencies.snapshot(),
    reports: reportLatencies.snapshot(),
  });
});

/** Checks in when due, for ever. A check-in that is not answered before the next is due is missed. */
async function live(envoy: SimulatedEnvoy, firstDueMs: number): Promise<void> {
  let dueMs = firstDueMs;
  while (!finished) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (finished) break;
    let nextMs = start.intervalMs;
    try {
      nextMs = await envoy.checkIn(measuring && Math.random() < start.changed);
    } catch (error) {
      if (finished) break;
      listener.failed(error instanceof CallError ? error.code : String(error));
      nextMs = Math.min(retryMs, start.intervalMs);
    }
    const nowMs = performance.now();
    if (nowMs - dueMs > start.intervalMs) listener.missed();
    dueMs = nowMs + nextMs;
  }
  envoy.close();
}

async function connectAll(envoys: readonly SimulatedEnvoy[]): Promise<void> {
  const beganMs = performance.now();
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < envoys.length; at = next++) {
      const startAtMs = beganMs + (start.rampMs * at) / envoys.length;
      const waitMs = startAtMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      await connectOne(envoys[at] as SimulatedEnvoy);
    }
  };
  await Promise.all(Array.from({ length: handshakesMax }, lane));
}

async function connectOne(envoy: SimulatedEnvoy): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    try {
      await envoy.connect();
      const nextMs = await envoy.checkIn(false);
      connected += 1;
      void live(envoy, performance.now() + nextMs);
      return;
    } catch (error) {
      listener.failed(error instanceof CallError ? error.code : String(error));
      await sleep(retryMs);
    }
  }
  throw new BenchError('BENCH_SERVER', 'an envoy could not connect in ten attempts');
}

const identities = readIdentities(start.identitiesFile, start.to).slice(start.from, start.to);
const target = { host: start.host, port: start.port, caPem: start.caPem };
const progress = setInterval(() => say({ word: 'progress', counts: counts() }), progressMs);
progress.unref();
await connectAll(identities.map((identity) => new SimulatedEnvoy(identity, target, listener)));
say({ word: 'ready' });
