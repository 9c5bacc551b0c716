import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { TestServer } from '../test/end-to-end/support/server-process.ts';
import { makeLargeFleet } from '../test/support/large-fleet.ts';
import { programFile } from '../test/support/program.ts';

/**
 * Claim: with 100,000 envoys the overview and the list answer in under 150 ms at the server, a filter over
 * traits in under 500 ms, and `vigocli envoys list --all` prints its first rows in under 300 ms. A real
 * server on a generated database; autocannon asks one page at a time, so that what is measured is the
 * answer and not the queue. Beside each: /healthz in the same run, which answers a constant; and the CPU time that the
 * server's process spent per answer, which a busy machine does not change much.
 * Run: `node perf/fleet-pages.ts` (ENVOYS=100000; `--output FILE` keeps the result).
 */
const envoys = Number(process.env.ENVOYS ?? 100_000);
const amount = Number(process.env.REQUESTS ?? 40);
const staticAmount = 400;
const timeoutSeconds = 60;
const cliRounds = 5;

interface Figure {
  readonly page: string;
  readonly targetMs: number | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean, as a multiple of that of /healthz. */
  readonly ratio: number;
  readonly cpuMs: number;
}

const overview = '/api/v1/fleet/overview';
const list = '/api/v1/envoys';
const pages: readonly (readonly [page: string, targetMs: number])[] = [
  [overview, 150],
  [`${overview}?window=7d`, 150],
  [list, 150],
  [`${list}?state=failed`, 150],
  [`${list}?sort=state`, 150],
  [`${list}?sort=seen&order=desc&limit=500`, 150],
  [`${list}?selector=web-*`, 500],
  [`${list}?selector=dmi.serial%3DSN-042317`, 500],
  [`${list}?selector=os.family%3Ddebian`, 500],
  [`${list}?selector=os.family%3Ddebian,web-*,os.version!%3D12&sort=state`, 500],
  [`${list}?selector=packages.openssl%3D3.0.*`, 500],
  [`${list}/web-000042.nyc.example`, 150],
];

const teardowns: (() => void | Promise<void>)[] = [];
const server = await TestServer.make(
  { teardown: (run) => void teardowns.push(run) },
  {
    // Nobody of this fleet checks in; within three hours nobody is offline for it.
    interval: '1h',
  },
);
const startMs = performance.now();
await makeLargeFleet(server.home.layout.database, envoys);
const madeMs = performance.now() - startMs;
const { apiPort } = await server.start();
const { layout, certificateAuthority } = server.home;
const headers = { authorization: `Bearer ${readFileSync(layout.adminToken, 'utf8').trim()}` };
const tlsOptions = { ca: certificateAuthority.certificatePem };

/** Of the server, all threads, milliseconds. */
async function serverCpuMs(): Promise<number> {
  const status = await get<{ process: { cpuUs: number } }>('/api/v1/status');
  return status.process.cpuUs / 1000;
}

function get<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const ask = request(
      { ...tlsOptions, host: '127.0.0.1', port: apiPort, path, headers },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve(JSON.parse(text) as T));
      },
    );
    ask.on('error', reject);
    ask.end();
  });
}

async function load(path: string, requests: number) {
  const before = await serverCpuMs();
  const result = await autocannon({
    url: `https://127.0.0.1:${apiPort}${path}`,
    connections: 1,
    amount: requests,
    headers,
    tlsOptions,
    timeout: timeoutSeconds,
  });
  if (result.non2xx + result.errors > 0) {
    throw new Error(`${path}: ${result.non2xx} refusals, ${result.errors} errors`);
  }
  const cpuMs = ((await serverCpuMs()) - before) / requests;
  const { average, p50, p99 } = result.latency;
  return { average, p50, p99, cpuMs };
}

/** Until the first row is printed, milliseconds. */
function firstRowMs(): Promise<number> {
  return new Promise((resolve, reject) => {
    const at = performance.now();
    const args = [programFile('admin/cli/main'), '--home', server.directory, 'envoys', 'list'];
    const child = spawn(process.execPath, [...args, '--all', '--json'], { stdio: 'pipe' });
    child.once('error', reject);
    child.stdout.once('data', () => {
      const tookMs = performance.now() - at;
      child.once('close', () => resolve(tookMs));
      child.kill('SIGKILL');
    });
  });
}

/** Of a Node that does nothing: what every program of it pays first. */
function emptyProgramMs(): Promise<number> {
  return new Promise((resolve) => {
    const at = performance.now();
    spawn(process.execPath, ['-e', '0']).once('close', () => resolve(performance.now() - at));
  });
}

async function best(measure: () => Promise<number>): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < cliRounds; round += 1) taken.push(await measure());
  return rounded(Math.min(...taken));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

const reference = await load('/healthz', staticAmount);
const figures: Figure[] = [];
for (const [page, targetMs] of pages) {
  await load(page, 2);
  const { average, p50, p99, cpuMs } = await load(page, amount);
  const ratio = rounded(average / reference.average);
  figures.push({ page, targetMs, p50Ms: p50, p99Ms: p99, ratio, cpuMs: rounded(cpuMs) });
}
const firstRow = await best(firstRowMs);
const emptyProgram = await best(emptyProgramMs);
const result = {
  envoys,
  madeSeconds: rounded(madeMs / 1000),
  cores: cpus().length,
  static: {
    averageMs: rounded(reference.average),
    p99Ms: reference.p99,
    cpuMs: rounded(reference.cpuMs),
  },
  pages: figures,
  cli: { firstRowMs: firstRow, emptyProgramMs: emptyProgram, targetMs: 300 },
};
for (const teardown of teardowns) await teardown();

process.stdout.write(
  `${envoys} envoys, made in ${result.madeSeconds} s; /healthz ${rounded(reference.average)} ms\n` +
    `${'p50 ms'.padStart(8)}${'p99 ms'.padStart(8)}${'x static'.padStart(10)}${'CPU ms'.padStart(8)}` +
    `${'target'.padStart(8)}  page\n`,
);
for (const { page, p50Ms, p99Ms, ratio, cpuMs, targetMs } of figures) {
  const columns = [
    String(p50Ms).padStart(8),
    String(p99Ms).padStart(8),
    String(ratio).padStart(10),
  ];
  const more = [String(cpuMs).padStart(8), String(targetMs).padStart(8)];
  process.stdout.write(`${[...columns, ...more].join('')}  ${page}\n`);
}
process.stdout.write(
  `vigocli envoys list --all: first row after ${firstRow} ms (node -e 0: ${emptyProgram} ms)\n`,
);
const output = process.argv.indexOf('--output');
const file = output < 0 ? undefined : process.argv[output + 1];
if (file !== undefined) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
