/**
 * What Node.js takes for a request over TLS before any of our code: a process that answers each 300
 * bytes by 190, under the same connections and rate. `node perf/tls-floor.ts --help`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { readIdentities } from '../bench/fleet/identities.ts';
import { processCpuUs, processRssKb } from '../bench/fleet/process-cost.ts';
import { ServerUnderTest } from '../bench/fleet/server-under-test.ts';
import { measureVerifyUs, medianOf } from '../bench/fleet/signing.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '3000' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/tls-floor.ts [--connections 3000] [--rate 500] [--seconds 20]\n' +
      '  --rate: requests per second in all; half of it is what one of two shards sees\n',
  );
  process.exit();
}
const count = Number(values.connections);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const lanes = 8;
const request = Buffer.alloc(300, 2);
/** The collector has had its time. */
const settleMs = 5_000;
const directory = mkdtempSync(join(tmpdir(), 'vigo-tls-floor-'));

async function open(port: number, authority: string): Promise<TLSSocket[]> {
  const identities = readIdentities(join(directory, `identities-${count}.json`), count);
  const sockets: TLSSocket[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const identity = identities[at];
      if (identity === undefined) throw new Error('too few identities');
      const secureContext = createSecureContext({
        ca: authority,
        cert: identity.certificatePem,
        key: identity.keyPem,
      });
      const options = { host: '127.0.0.1', port, secureContext, servername: '' };
      const socket = connect({ ...options, checkServerIdentity: () => undefined });
      await once(socket, 'secureConnect');
      socket.setNoDelay(true);
      socket.on('data', () => {
        answered += 1;
      });
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return sockets;
}

let answered = 0;
const home = new ServerUnderTest(directory, { envoys: count, intervalMs: 60_000, shards: 1 });
await home.prepare();
const tls = (name: string): string => join(directory, 'server/tls', name);
const server = fork(new URL('support/tls-echo-entry.ts', import.meta.url).pathname, [
  tls('server.cert.pem'),
  tls('server.key.pem'),
  tls('ca.cert.pem'),
]);
try {
  const [port] = (await once(server, 'message')) as [number];
  const pid = server.pid ?? 0;
  const emptyKb = processRssKb(pid);
  const sockets = await open(port, readFileSync(tls('ca.cert.pem'), 'utf8'));
  await sleep(settleMs);
  const connectedKb = processRssKb(pid);
  const verify = measureVerifyUs();
  answered = 0;
  const fromUs = processCpuUs(pid);
  const startMs = performance.now();
  for (let sent = 0; sent < rate * seconds; ) {
    const due = ((performance.now() - startMs) / 1000) * rate;
    for (; sent < due; sent++) sockets[(sent * 7919) % count]?.write(request);
    await sleep(1);
  }
  await sleep(500);
  const cpuUs = (processCpuUs(pid) - fromUs) / answered;
  verify.push(...measureVerifyUs());
  const verifyUs = medianOf(verify);
  const result = {
    ...{ connections: count, rate, answered },
    verify_us: Math.round(verifyUs * 10) / 10,
    cpu_us_per_answer: Math.round(cpuUs * 10) / 10,
    in_verifications: Math.round((cpuUs / verifyUs) * 100) / 100,
    kb_per_connection: Math.round(((connectedKb - emptyKb) / count) * 10) / 10,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} finally {
  server.kill();
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
