import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { agentVersion } from '../agent/version.ts';
import { type AgentPlatform, buildAgent, bundleAgent } from '../test/tools/agent-artefact.ts';

/**
 * The agent as one program: its size, what a node downloads, and its start beside `node -e 0` and
 * beside the same text run by Node, in turn in one run. CPU time, because the wall clock tells of the
 * neighbours. Memory is the peak of a process that only starts. `--xz` adds the smaller download
 * (takes a minute), `--json` is for programs.
 */
const rounds = 15;
const work = mkdtempSync(join(tmpdir(), 'vigo-perf-artefact-'));

interface Start {
  readonly cpuMs: number;
  readonly peakMb: number;
}

/** Of a program that ends by itself: CPU from the kernel's account, the peak while it is a zombie. */
async function start(argv: readonly string[]): Promise<Start> {
  // The shell waits for its child and tells its CPU time; nothing else of it counts.
  const words = ['-c', '"$@" >/dev/null; times', 'sh', ...argv];
  const { stdout } = spawnSync('sh', words, { encoding: 'utf8' });
  const [, minutes = 0, seconds = 0, sysMinutes = 0, sysSeconds = 0] =
    /\n(\d+)m([\d.]+)s (\d+)m([\d.]+)s/.exec(stdout)?.map(Number) ?? [];
  const cpuMs = (minutes * 60 + seconds + sysMinutes * 60 + sysSeconds) * 1000;
  return { cpuMs, peakMb: await peak(argv) };
}

async function peak(argv: readonly string[]): Promise<number> {
  const [program = '', ...rest] = argv;
  const child = spawn(program, rest, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  let peakKb = 0;
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over) {
    try {
      const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peakKb = Math.max(peakKb, Number(/VmHWM:\s*(\d+)/.exec(text)?.[1] ?? 0));
    } catch {
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return peakKb / 1024;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function measure(program: string, bundle: string) {
  const commands: Record<string, readonly string[]> = {
    'node -e 0': [process.execPath, '-e', '0'],
    'bundle on node, version': [process.execPath, bundle, 'version'],
    'one program, version': [program, 'version'],
  };
  const starts = new Map<string, Start[]>();
  for (let round = 0; round < rounds; round += 1)
    for (const [name, argv] of Object.entries(commands))
      starts.set(name, [...(starts.get(name) ?? []), await start(argv)]);
  const cpuOf = (name: string) => median(starts.get(name)?.map(({ cpuMs }) => cpuMs) ?? []);
  return Object.keys(commands).map((what) => ({
    what,
    'CPU ms': cpuOf(what),
    'ratio to node': Number((cpuOf(what) / cpuOf('node -e 0')).toFixed(2)),
    'peak MB': Number(median(starts.get(what)?.map(({ peakMb }) => peakMb) ?? []).toFixed(1)),
  }));
}

try {
  const xz = process.argv.includes('--xz');
  const platform = `${process.platform}-${process.arch}` as AgentPlatform;
  const { bytes } = await buildAgent({ directory: work, platform, xz });
  const packed = join(work, `vigo-${agentVersion}-${platform}`);
  const program = join(work, 'vigo');
  writeFileSync(program, gunzipSync(readFileSync(`${packed}.gz`)), { mode: 0o755 });
  const text = await bundleAgent();
  const bundle = join(work, 'bundle.cjs');
  writeFileSync(bundle, text);
  const megabytes = (size: number) => Number((size / 1e6).toFixed(1));
  const sizes = {
    'program MB': megabytes(bytes),
    'of it the agent MB': megabytes(text.length),
    'download gz MB': megabytes(statSync(`${packed}.gz`).size),
    ...(xz ? { 'download xz MB': megabytes(statSync(`${packed}.xz`).size) } : {}),
  };
  const rows = await measure(program, bundle);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ sizes, rows }));
  else {
    console.table([sizes]);
    console.table(rows);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
