/**
 * What a connection costs the server: a full handshake with both certificates, beside one that
 * resumes a session, also with a server that was started again. `node perf/handshake.ts --help`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readIdentities } from '../bench/fleet/identities.ts';
import { processCpuUs } from '../bench/fleet/process-cost.ts';
import { ServerUnderTest } from '../bench/fleet/server-under-test.ts';
import { measureVerifyUs, medianOf } from '../bench/fleet/signing.ts';
import { SimulatedEnvoy } from '../bench/fleet/simulated-envoy.ts';

const { values } = parseArgs({
  options: {
    envoys: { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write('node perf/handshake.ts [--envoys 1000]\n');
  process.exit();
}
const count = Number(values.envoys);
const lanes = 8;
/** A check-in for each: tickets come after the handshake. */
const callLimitMs = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'vigo-handshake-'));
const server = new ServerUnderTest(directory, {
  ...{ envoys: count, intervalMs: 60_000, shards: 1 },
  settings: 'limits:\n  handshakes_per_second: 100000\n',
});

async function each(envoys: readonly SimulatedEnvoy[], act: (envoy: SimulatedEnvoy) => unknown) {
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < envoys.length; at = next++) await act(envoys[at] as SimulatedEnvoy);
  };
  const beforeUs = processCpuUs(server.pid);
  await Promise.all(Array.from({ length: lanes }, lane));
  return (processCpuUs(server.pid) - beforeUs) / envoys.length;
}

try {
  await server.prepare();
  await server.start();
  await server.publish();
  const verify = measureVerifyUs();
  const target = { host: '127.0.0.1', port: server.grpcPort, caPem: server.caPem };
  const envoys = readIdentities(server.identitiesFile, count).map(
    (identity) => new SimulatedEnvoy(identity, target),
  );
  const connect = (envoy: SimulatedEnvoy) => envoy.connect();
  const checkIn = (envoy: SimulatedEnvoy) => envoy.checkIn(performance.now() + callLimitMs);
  const close = () => {
    for (const envoy of envoys) envoy.close();
  };
  const resumed = (): number => envoys.reduce((sum, envoy) => sum + envoy.resumed, 0);
  await each(envoys, connect);
  await each(envoys, checkIn);
  close();
  for (const envoy of envoys) envoy.forgetSession();
  const full = await each(envoys, connect);
  await each(envoys, checkIn);
  close();
  const short = await each(envoys, connect);
  const shortOnes = resumed();
  await each(envoys, checkIn);
  await server.stop();
  close();
  await server.start();
  const again = await each(envoys, connect);
  verify.push(...measureVerifyUs());
  const unit = medianOf(verify);
  const line = (what: string, us: number, of: number) =>
    console.log(
      what.padEnd(34),
      `${us.toFixed(0)} µs`,
      `${(us / unit).toFixed(1)} verifications`,
      of,
    );
  console.log(
    `${count} connections, one verification ${unit.toFixed(1)} µs; the last number: resumed`,
  );
  line('full handshake', full, 0);
  line('resumed', short, shortOnes);
  line('resumed with a restarted server', again, resumed() - shortOnes);
  close();
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
