/**
 * Instructions per check-in, step by step, as callgrind counts them: the same on a busy machine.
 * `node perf/instructions.ts --help`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const keptFile = new URL('results/instructions.json', import.meta.url).pathname;
const entry = new URL('support/instructions-entry.ts', import.meta.url).pathname;
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '400' },
    tolerance: { type: 'string', default: '0.02' },
    update: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/instructions.ts [--times 400] [--tolerance 0.02] [--update]\n' +
      'Needs valgrind. V8 interprets and compiles nothing, so that counts repeat: a step that does\n' +
      'more counts more, but JavaScript weighs more beside native code than it does in a server.\n' +
      'Ends with 1 when a step counts more than what is kept.\n',
  );
  process.exit();
}
const interpreted = [
  ...['--no-opt', '--no-sparkplug', '--no-maglev', '--no-flush-bytecode'],
  ...['--single-threaded', '--predictable', '--hash-seed=1', '--random-seed=1'],
  '--disable-warning=ExperimentalWarning',
];

/** What it says on both of its outputs. */
function run(command: string, words: readonly string[]): string {
  const { stdout, stderr, status, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status === 0) return `${stdout}\n${stderr}`;
  throw error ?? new Error(`${command} ended with ${status}:\n${stderr}`);
}

/** Of the whole process, with its start. */
function instructions(step: string, times: number): number {
  const valgrind = [
    '--tool=callgrind',
    '--smc-check=all-non-file',
    '--callgrind-out-file=/dev/null',
  ];
  const words = [...valgrind, process.execPath, ...interpreted, entry, step, String(times)];
  const count = /refs:\s+([\d,]+)/.exec(run('valgrind', words))?.[1]?.replaceAll(',', '');
  if (count === undefined) throw new Error('valgrind counted nothing');
  return Number(count);
}

const times = Number(values.times);
const names = run(process.execPath, [...interpreted, entry])
  .trim()
  .split(' ');
const counted: Record<string, number> = {};
for (const name of names) {
  const once = instructions(name, times);
  counted[name] = Math.round((instructions(name, 2 * times) - once) / times);
  process.stderr.write(`${name}: ${counted[name]} instructions\n`);
}
if (values.update) {
  const figures = { command: 'node perf/instructions.ts', node: process.version, steps: counted };
  writeFileSync(keptFile, `${JSON.stringify(figures, null, 2)}\n`);
} else if (!existsSync(keptFile)) {
  process.stderr.write('nothing is kept to compare with yet: --update\n');
} else {
  const kept = JSON.parse(readFileSync(keptFile, 'utf8')) as { steps: Record<string, number> };
  for (const [name, count] of Object.entries(counted)) {
    const before = kept.steps[name] ?? count;
    if (count <= before * (1 + Number(values.tolerance))) continue;
    process.stderr.write(`worse: ${name}: ${before} -> ${count} instructions\n`);
    process.exitCode = 1;
  }
}
