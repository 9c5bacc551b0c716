import { isMainThread, type MessagePort, parentPort, Worker } from 'node:worker_threads';
import { Packr } from 'msgpackr';

/**
 * Which encoding should batches between threads have? Small messages go to a worker, which reads
 * each and acknowledges the batch; microseconds of CPU time per message, of both threads together.
 * Run: `node perf/channel.ts` (`--json` for programs).
 */
const messageTotal = 100_000;
/** Batches on their way at once. */
const window = 8;
const batchSizes = [1, 16, 256];
const encodings = ['structured clone', 'msgpackr, moved', 'msgpackr, cloned'] as const;
type Encoding = (typeof encodings)[number];

const packr = new Packr({ useRecords: false, copyBuffers: true, moreTypes: true });

const payloads: Record<string, (n: number) => unknown> = {
  'small object': (n) => ({ policyVersion: 12, sequence: n, state: 'compliant' }),
  '220 bytes': (n) => ({ sequence: n, body: new Uint8Array(220) }),
  // What a decoder of network input yields: a view of the chunk that it came in.
  '220 bytes of 16 KiB': (n) => ({
    sequence: n,
    body: new Uint8Array(16_384).subarray(512, 732),
  }),
};

function frame(payload: unknown, n: number): unknown[] {
  return [
    'ask',
    n,
    'envoy',
    '7b0f2c1e-6f0a-4f3e-9a51-2f5f4a0c8d11',
    'checkIn',
    payload,
    null,
    false,
  ];
}

function post(port: Worker | MessagePort, encoding: Encoding, frames: unknown[]): void {
  if (encoding === 'structured clone') {
    port.postMessage(frames);
    return;
  }
  const bytes = new Uint8Array(packr.pack(frames));
  if (encoding === 'msgpackr, moved') port.postMessage(bytes, [bytes.buffer]);
  else port.postMessage(bytes);
}

async function measure(worker: Worker, encoding: Encoding, size: number, payload: string) {
  const make = payloads[payload];
  if (!make) throw new Error(`no payload ${payload}`);
  let sent = 0;
  let received = 0;
  const before = process.cpuUsage();
  await new Promise<void>((resolve) => {
    const send = () => {
      const frames = Array.from({ length: size }, (_, index) => frame(make(sent + index), index));
      sent += size;
      post(worker, encoding, frames);
    };
    worker.removeAllListeners('message');
    worker.on('message', (count: number) => {
      received += count;
      if (received >= messageTotal) resolve();
      else if (sent < messageTotal) send();
    });
    for (let index = 0; index < window; index += 1) send();
  });
  const { user, system } = process.cpuUsage(before);
  return Number(((user + system) / received).toFixed(2));
}

async function main(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  const rows: Record<string, string | number>[] = [];
  for (const payload of Object.keys(payloads)) {
    for (const size of batchSizes) {
      const row: Record<string, string | number> = { payload, 'messages per batch': size };
      for (const encoding of encodings) {
        await measure(worker, encoding, size, payload);
        row[`${encoding}, us`] = await measure(worker, encoding, size, payload);
      }
      rows.push(row);
    }
  }
  await worker.terminate();
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else console.table(rows);
}

if (isMainThread) await main();
else {
  parentPort?.on('message', (batch: unknown[] | Uint8Array) => {
    const frames = batch instanceof Uint8Array ? (packr.unpack(batch) as unknown[]) : batch;
    parentPort?.postMessage(frames.length);
  });
}
