/**
 * `npm test`: static checks, then the suites, fastest first; stops at the first kind of failure.
 * Options: `--only static|laws|unit|end-to-end|lab` (repeatable), `--keep-going`, `--retries N`: a file
 * that failed is run again alone, up to N times; one that passes then is told as flaky.
 *
 * As root the suites run without the capabilities that could hurt the machine (set the clock,
 * reboot, load modules, raw I/O), so that a faulty executor cannot.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { runFiles } from './run-files.ts';
import { type Suite, suites } from './suites.ts';
import type { FileResult } from './tap-output.ts';

const project = new URL('../..', import.meta.url).pathname;
const bin = `${project}node_modules/.bin/`;
const compileCache = `${project}node_modules/.cache/vigo-tests`;
const options = process.argv.slice(2);
const only = options.flatMap((word, at) => (word === '--only' ? [options[at + 1] ?? ''] : []));
const keepGoing = options.includes('--keep-going');
const retries = Number(options[options.indexOf('--retries') + 1 || options.length] ?? 0);
/** More failed files than this in a suite are no accident. */
const retriedFilesMax = 3;

/** Files that failed once and passed when they ran again: each is a mistake to find, in the test or in us. */
const flaky: string[] = [];

const staticChecks: readonly [name: string, argv: readonly [string, ...string[]]][] = [
  ['format and lint', [`${bin}biome`, 'ci', '--log-level=error', '.']],
  ['types', [`${bin}tsc`, '-p', 'tsconfig.json']],
  ['dead exports', [`${bin}knip`]],
  ['wire contract lint', [`${bin}buf`, 'lint']],
  ['generated codecs are current', [process.execPath, 'test/tools/check-generated.ts']],
];

function harmless(): readonly string[] {
  const canDrop = process.geteuid?.() === 0 && existsSync('/usr/bin/setpriv');
  return canDrop ? ['setpriv', '--bounding-set=-sys_time,-sys_boot,-sys_module,-sys_rawio'] : [];
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

async function runSuite(suite: Suite): Promise<readonly FileResult[]> {
  const files = suite.files.flatMap((pattern) => globSync(pattern, { cwd: project })).sort();
  console.log(`\n${suite.name}: ${suite.proves}`);
  const results: FileResult[] = [];
  const options = {
    directory: project,
    jobs: suite.jobs,
    timeoutSeconds: suite.timeoutSeconds,
    environment: { VIGO_TEST_COMPILED: '1', NODE_COMPILE_CACHE: compileCache },
    prefix: harmless(),
  };
  for await (const result of runFiles(files, options)) {
    results.push(result);
    print(result);
  }
  for (let round = 0; round < retries; round += 1) {
    const failed = results.filter(({ ok }) => !ok).map(({ file }) => file);
    if (failed.length === 0 || failed.length > retriedFilesMax) break;
    console.log('  again, each alone:');
    for await (const result of runFiles(failed, { ...options, jobs: 1 })) {
      print(result);
      results[results.findIndex(({ file }) => file === result.file)] = result;
      if (result.ok) flaky.push(result.file);
    }
  }
  return results;
}

function print(result: FileResult): void {
  console.log(`  ${result.ok ? '✓' : '✗'} ${result.file} (${Math.round(result.timeMs)} ms)`);
  if (!result.ok) console.log(result.output.join('\n'));
}

function printSkips(results: readonly FileResult[]): void {
  const lines = results.flatMap(({ file, skipped }) =>
    skipped.map(({ test, reason }) => `  - ${file}: ${test}: ${reason}`),
  );
  if (lines.length > 0) console.log(`\nSkipped on this machine, and why:\n${lines.join('\n')}`);
}

async function main(): Promise<number> {
  const wants = (name: string) => only.length === 0 || only.includes(name);
  if (wants('static') && !runStatic()) return 1;
  const chosen = suites.filter((suite) => wants(suite.name));
  if (chosen.length > 0 && !prepare()) return 1;
  const results: FileResult[] = [];
  for (const suite of chosen) {
    const own = await runSuite(suite);
    results.push(...own);
    if (own.some(({ ok }) => !ok) && !keepGoing) break;
  }
  printSkips(results);
  if (flaky.length > 0) {
    const lines = flaky.map((file) => `  - ${file}`);
    console.log(`\nFLAKY, failed first and passed alone:\n${lines.join('\n')}`);
  }
  const sum = (count: (result: FileResult) => number) =>
    results.reduce((total, result) => total + count(result), 0);
  const failed = sum((result) => result.failed);
  if (chosen.length > 0) {
    const passed = sum((result) => result.passed);
    const skipped = sum((result) => result.skipped.length);
    console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
