/**
 * What a check-in costs the server, beside the one signature check that it cannot do without, in one
 * run: real processes, certificates, TLS connections and signatures. `node perf/check-in.ts --help`.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import sodium from 'sodium-native';
import { TestServer } from '../test/end-to-end/support/server-process.ts';
import type { TestEnvoy } from '../test/support/test-envoy.ts';

const { values } = parseArgs({
  options: {
    envoys: { type: 'string', default: '200' },
    rate: { type: 'string', default: '400' },
    seconds: { type: 'string', default: '8' },
    'warm-up': { type: 'string', default: '50' },
    profile: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/check-in.ts [--envoys 200] [--rate 400 (per second)] [--seconds 8] [--json]\n' +
      '  --warm-up <check-ins of each envoy before the measurement, default 50>\n' +
      '  --profile <directory>: V8 CPU profiles of every thread of the server\n',
  );
  process.exit();
}
const envoyCount = Number(values.envoys);
const perSecond = Number(values.rate);
const seconds = Number(values.seconds);
const ticksPerSecond = 100;
/** The first thousands run in V8's interpreter, beside its compiler. */
const warmUpRounds = Number(values['warm-up']);
const verifyRounds = 4000;

/** Microseconds of one Ed25519 verification of a message of a check-in's size. */
function verifyUs(): number {
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.alloc(32, 1));
  const message = Buffer.alloc(150, 2);
  const signature = Buffer.alloc(64);
  sodium.crypto_sign_detached(signature, message, secretKey);
  const before = process.cpuUsage();
  for (let round = 0; round < verifyRounds; round++) {
    sodium.crypto_sign_verify_detached(signature, message, publicKey);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / verifyRounds;
}

/** Processor time and memory of another process, from /proc. */
function processFigures(pid: number): { cpuUs: number; rssKb: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { cpuUs: (ticks / ticksPerSecond) * 1e6, rssKb };
}

async function load(envoys: readonly TestEnvoy[]): Promise<{ done: number; failed: number }> {
  let done = 0;
  let failed = 0;
  const total = perSecond * seconds;
  const startMs = performance.now();
  const pending: Promise<void>[] = [];
  for (let index = 0; index < total; index++) {
    const dueMs = startMs + (index / perSecond) * 1000;
    while (performance.now() < dueMs) await new Promise((resolve) => setTimeout(resolve, 1));
    const envoy = envoys[index % envoys.length]!;
    pending.push(
      envoy.checkIn().then(
        () => {
          done += 1;
        },
        () => {
          failed += 1;
        },
      ),
    );
  }
  await Promise.all(pending);
  return { done, failed };
}

const teardowns: (() => void | Promise<void>)[] = [];
const nodeFlags = values.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
const server = await TestServer.make(
  { teardown: (run) => void teardowns.push(run) },
  { nodeFlags, interval: '5s' },
);
const envoys = await server.provision(envoyCount);
const { grpcPort, pid } = await server.start();
const empty = processFigures(pid);
for (const envoy of envoys) envoy.moveTo(grpcPort);
await Promise.all(
  envoys.map(async (envoy) => {
    for (let round = 0; round < warmUpRounds; round++) await envoy.checkIn();
  }),
);
const connected = processFigures(pid);
const verifyBefore = verifyUs();
const before = processFigures(pid);
const ownBefore = process.cpuUsage();
const { done, failed } = await load(envoys);
const own = process.cpuUsage(ownBefore);
const after = processFigures(pid);
const verify = (verifyBefore + verifyUs()) / 2;
for (const envoy of envoys) envoy.close();
await server.signal('SIGTERM');
for (const run of teardowns) await run();

const cpuUs = (after.cpuUs - before.cpuUs) / done;
const result = {
  machine: { cores: availableParallelism(), node: process.version },
  envoys: envoyCount,
  checkIns: { done, failed, perSecond },
  verifyUs: round1(verify),
  serverCpuUsPerCheckIn: round1(cpuUs),
  cpuToVerifyRatio: round1(cpuUs / verify),
  rssKbPerConnection: round1((connected.rssKb - empty.rssKb) / envoyCount),
  rssKb: after.rssKb,
  generatorCpuUsPerCheckIn: round1((own.user + own.system) / done),
};

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) console.log(name, JSON.stringify(value));
