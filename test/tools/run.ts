/**
 * `npm test`: static checks, then the suites, fastest first; stops at the first kind of failure.
 * Options: `--only static|laws|unit|end-to-end|lab` (repeatable), `--keep-going`.
 *
 * As root the suites run without the capabilities that could hurt the machine (set the clock,
 * reboot, load modules, raw I/O), so that a faulty executor cannot.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Suite, suites } from './suites.ts';
import { TapOutputReader, type TapSummary } from './tap-output.ts';

const project = new URL('../..', import.meta.url).pathname;
const bin = `${project}node_modules/.bin/`;
const compileCache = `${project}node_modules/.cache/vigo-tests`;
const options = process.argv.slice(2);
const only = options.flatMap((word, at) => (word === '--only' ? [options[at + 1] ?? ''] : []));
const keepGoing = options.includes('--keep-going');

const staticChecks: readonly [name: string, argv: readonly [string, ...string[]]][] = [
  ['format and lint', [`${bin}biome`, 'ci', '--log-level=error', '.']],
  ['types', [`${bin}tsc`, '-p', 'tsconfig.json']],
  ['dead exports', [`${bin}knip`]],
  ['wire contract lint', [`${bin}buf`, 'lint']],
  ['generated codecs are current', [process.execPath, 'test/tools/check-generated.ts']],
];

function harmless(argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const canDrop = process.geteuid?.() === 0 && existsSync('/usr/bin/setpriv');
  if (!canDrop) return argv;
  return ['setpriv', '--bounding-set=-sys_time,-sys_boot,-sys_module,-sys_rawio', ...argv];
}

function runStatic(): boolean {
  for (const [name, [command, ...rest]] of staticChecks) {
    const started = performance.now();
    const result = spawnSync(command, rest, { cwd: project, encoding: 'utf8' });
    const ok = result.status === 0;
    console.log(`${ok ? '✓' : '✗'} ${name} (${Math.round(performance.now() - started)} ms)`);
    if (ok) continue;
    console.log(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    return false;
  }
  return true;
}

/** tap's helper classes are generated once after each install; the programs are run compiled. */
function prepare(): boolean {
  const steps = [
    [`${bin}tap`, 'build'],
    [process.execPath, 'test/tools/build.ts'],
  ] as const;
  return steps.every(([command, argument]) => {
    const result = spawnSync(command, [argument], { cwd: project, encoding: 'utf8' });
    if (result.status !== 0) console.log(result.stdout, result.stderr);
    return result.status === 0;
  });
}

async function runSuite(suite: Suite): Promise<TapSummary | undefined> {
  const files = suite.files.flatMap((pattern) => globSync(pattern, { cwd: project })).sort();
  console.log(`\n${suite.name}: ${suite.proves}`);
  if (files.length === 0) return undefined;
  const [command, ...rest] = harmless([
    `${bin}tap`,
    'run',
    '--disable-coverage',
    '--reporter=tap',
    `--jobs=${suite.jobs}`,
    `--timeout=${suite.timeoutSeconds}`,
    ...files,
  ]);
  const reader = new TapOutputReader();
  const env = { ...process.env, VIGO_TEST_COMPILED: '1', NODE_COMPILE_CACHE: compileCache };
  const child = spawn(command, rest, { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const file = reader.line(line);
    if (!file) continue;
    console.log(`  ${file.ok ? '✓' : '✗'} ${file.file} (${Math.round(file.timeMs)} ms)`);
    if (!file.ok) console.log(file.output.join('\n'));
  }
  const failedFiles = reader.summary.files.filter((file) => !file.ok).length;
  if (reader.summary.files.length < files.length) reader.summary.failed += 1;
  if (failedFiles > 0 && reader.summary.failed === 0) reader.summary.failed = failedFiles;
  return reader.summary;
}

function printSkips(summaries: readonly TapSummary[]): void {
  const skips = summaries.flatMap((summary) => summary.skipped);
  if (skips.length === 0) return;
  console.log(`\nSkipped on this machine, and why:`);
  for (const skip of skips) console.log(`  - ${skip.file}: ${skip.test}: ${skip.reason}`);
}

async function main(): Promise<number> {
  const wants = (name: string) => only.length === 0 || only.includes(name);
  if (wants('static') && !runStatic()) return 1;
  const chosen = suites.filter((suite) => wants(suite.name));
  if (chosen.length > 0 && !prepare()) return 1;
  const summaries: TapSummary[] = [];
  for (const suite of chosen) {
    const summary = await runSuite(suite);
    if (!summary) continue;
    summaries.push(summary);
    if (summary.failed > 0 && !keepGoing) break;
  }
  printSkips(summaries);
  const sum = (pick: (summary: TapSummary) => number) =>
    summaries.reduce((total, summary) => total + pick(summary), 0);
  const failed = sum((summary) => summary.failed);
  if (chosen.length > 0) {
    const passed = sum((summary) => summary.passed);
    const skipped = sum((summary) => summary.skipped.length);
    console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
