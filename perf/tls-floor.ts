/**
 * What a request over TLS takes before HTTP/2 and all that is behind it: a process that answers each
 * 300 bytes by 190, on Node's `tls`, on the server's own records (docs/decisions/0047), on epoll and
 * OpenSSL in an addon of Node.js, and on these without Node.js, under the same connections and rates
 * in turns. `node perf/tls-floor.ts --help`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readIdentities } from '../bench/fleet/identities.ts';
import { processCpu, processRssKb } from '../bench/fleet/process-cost.ts';
import { ServerUnderTest } from '../bench/fleet/server-under-test.ts';
import { measureVerifyUs, medianOf } from '../bench/fleet/signing.ts';
import { measuredCommit } from './support/measured-commit.ts';
import { EchoClients } from './support/tls-echo-clients.ts';
import {
  type EchoServer,
  startAddonEcho,
  startNativeEcho,
  startNodeEcho,
  startVigoEcho,
} from './support/tls-echo-servers.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '3000' },
    rate: { type: 'string', default: '500,4000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    servers: { type: 'string', default: 'node,vigo,addon,native' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/tls-floor.ts [--connections 3000] [--rate 500,4000] [--seconds 10] [--rounds 3]\n' +
      '    [--servers node,vigo,addon,native]\n' +
      '  --rate: requests per second; half of a fleet is what one of two shards sees\n' +
      'What is outside of Node.js is compiled here: apt-get install gcc libssl-dev\n',
  );
  process.exit();
}
const count = Number(values.connections);
const rates = values.rate.split(',').map(Number);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
/** The collector has had its time. */
const settleMs = 5_000;
const directory = mkdtempSync(join(tmpdir(), 'vigo-tls-floor-'));

interface Point {
  /** Below 1 the machine was behind: what waits for one connection goes as one request. */
  readonly answered: number;
  readonly cpuUs: number;
  readonly verifications: number;
  readonly kernelShare: number;
}

interface Subject {
  readonly server: EchoServer;
  readonly clients: EchoClients;
  /** Of all connections from none; of the last two thirds. */
  readonly kilobytes: { readonly each: number; readonly slope: number };
  readonly points: Map<number, Point[]>;
}

async function connectAll(server: EchoServer, authority: string): Promise<Subject> {
  const identities = readIdentities(join(directory, `identities-${count}.json`), count);
  const clients = new EchoClients(server.port, authority);
  const emptyKb = processRssKb(server.pid);
  const third = Math.floor(count / 3);
  await clients.open(identities.slice(0, third));
  await sleep(settleMs);
  const thirdKb = processRssKb(server.pid);
  await clients.open(identities.slice(third));
  await sleep(settleMs);
  const allKb = processRssKb(server.pid);
  const kilobytes = { each: (allKb - emptyKb) / count, slope: (allKb - thirdKb) / (count - third) };
  return { server, clients, kilobytes, points: new Map(rates.map((rate) => [rate, []])) };
}

async function measure({ server, clients }: Subject, rate: number): Promise<Point> {
  const verify = measureVerifyUs();
  const before = processCpu(server.pid);
  const answered = await clients.ask(rate, seconds);
  const after = processCpu(server.pid);
  verify.push(...measureVerifyUs());
  const kernelUs = after.kernelUs - before.kernelUs;
  const allUs = after.userUs - before.userUs + kernelUs;
  const cpuUs = allUs / answered;
  return {
    answered: answered / (rate * seconds),
    cpuUs,
    verifications: cpuUs / medianOf(verify),
    kernelShare: kernelUs / allUs,
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function resultOf({ kilobytes, points }: Subject): object {
  const middle = (of: readonly Point[], figure: keyof Point): number =>
    medianOf(of.map((point) => point[figure]));
  return {
    kb_per_connection: rounded(kilobytes.each, 1),
    kb_per_connection_slope: rounded(kilobytes.slope, 1),
    at: [...points].map(([rate, of]) => ({
      rate,
      cpu_us_per_answer: rounded(middle(of, 'cpuUs'), 1),
      in_verifications: rounded(middle(of, 'verifications'), 2),
      kernel_share: rounded(middle(of, 'kernelShare'), 2),
      answered_share: rounded(middle(of, 'answered'), 2),
      rounds: of.map((point) => rounded(point.verifications, 2)),
    })),
  };
}

const servers: EchoServer[] = [];
const loadBefore = loadavg();
const startedAt = new Date().toISOString();
try {
  const home = new ServerUnderTest(directory, { envoys: count, intervalMs: 60_000, shards: 1 });
  await home.prepare();
  const tls = (name: string): string => join(directory, 'server/tls', name);
  const identity = {
    certificate: tls('server.cert.pem'),
    key: tls('server.key.pem'),
    authority: tls('ca.cert.pem'),
  };
  const authority = readFileSync(identity.authority, 'utf8');
  const starts = {
    node: () => startNodeEcho(identity),
    vigo: () => startVigoEcho(identity),
    addon: () => startAddonEcho(identity, directory),
    native: () => startNativeEcho(identity, directory),
  };
  const subjects = new Map<string, Subject>();
  const skipped: Record<string, string> = {};
  const chosen = values.servers.split(',');
  for (const [name, start] of Object.entries(starts)) {
    if (!chosen.includes(name)) continue;
    const server = await start().catch((error: Error) => {
      if (name === 'node') throw error;
      skipped[name] = error.message;
    });
    if (server === undefined) continue;
    servers.push(server);
    subjects.set(name, await connectAll(server, authority));
  }
  for (let round = 0; round < rounds; round++) {
    for (const rate of rates) {
      for (const subject of subjects.values()) {
        subject.points.get(rate)?.push(await measure(subject, rate));
      }
    }
  }
  const result = {
    ...{ startedAt, commit: measuredCommit },
    ...{ cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
    ...{ openssl_of_node: process.versions.openssl, load: [loadBefore[0], loadavg()[0]] },
    ...{ connections: count, seconds, verify_us: rounded(medianOf(measureVerifyUs()), 1) },
    servers: Object.fromEntries([...subjects].map(([name, of]) => [name, resultOf(of)])),
    ...(Object.keys(skipped).length > 0 && { skipped }),
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} finally {
  for (const server of servers) server.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
