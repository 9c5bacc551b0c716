import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * How long until vigocli says something? Milliseconds from start to end, beside `node -e 0` in the
 * same run, with the compile cache warm and without it. `status` needs a running server: name its
 * home, as in `node perf/cli-start.ts --home ./demo/server`. Measures dist/ when there is one, the
 * sources otherwise. `--json` for programs.
 */
const rounds = 15;
const project = new URL('..', import.meta.url).pathname;
const compiled = join(project, 'dist/admin/cli/main.js');
const main = existsSync(compiled) ? compiled : join(project, 'admin/cli/main.ts');
const homeAt = process.argv.indexOf('--home');
const home = homeAt < 0 ? undefined : process.argv[homeAt + 1];
const cache = mkdtempSync(join(tmpdir(), 'vigo-cli-start-'));

const node = ['--disable-warning=ExperimentalWarning'];
const commands: Record<string, string[]> = {
  'node -e 0': [...node, '-e', '0'],
  'vigocli --version': [...node, main, '--version'],
  'vigocli --help': [...node, main, '--help'],
  ...(home === undefined ? {} : { 'vigocli status': [...node, main, '--home', home, 'status'] }),
};

function once(args: readonly string[], cached: boolean): number {
  const off = cached ? {} : { NODE_DISABLE_COMPILE_CACHE: '1' };
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: cache, ...off };
  const startedNs = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr.toString()}`);
  return Number(process.hrtime.bigint() - startedNs) / 1e6;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** All commands in turn, so that a busy machine is busy for all of them. */
function measure(): Record<string, string | number>[] {
  const times = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const [name, args] of Object.entries(commands)) {
      for (const cached of [true, false]) {
        const key = `${name} ${cached}`;
        const took = once(args, cached);
        if (round >= 0) times.set(key, [...(times.get(key) ?? []), took]);
      }
    }
  }
  const base = median(times.get('node -e 0 false') ?? []);
  return Object.keys(commands).map((command) => {
    const warm = median(times.get(`${command} true`) ?? []);
    const cold = median(times.get(`${command} false`) ?? []);
    return {
      command,
      'ms, cache': Number(warm.toFixed(1)),
      'ms, no cache': Number(cold.toFixed(1)),
      'ratio to node, cache': Number((warm / base).toFixed(2)),
    };
  });
}

const rows = measure();
rmSync(cache, { recursive: true, force: true });
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ main, rows })}\n`);
else {
  process.stdout.write(`${main === compiled ? 'compiled' : 'from source'}\n`);
  console.table(rows);
}
