/**
 * Hosts on which somebody undoes things at random, and what became of it: is every drift repaired
 * within an interval, is nothing reported that nobody did, does the agent's memory stay, is nothing
 * lost from the history? `node perf/chaos.ts --help`. Needs root and the tools of the lab.
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { chaosRun } from './chaos/chaos-run.ts';
import { complaints, summarizeChaos } from './chaos/summary.ts';
import { fullHost, smallHost } from './mixed/description.ts';
import { measuredCommit } from './support/measured-commit.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '10' },
    interval: { type: 'string', default: '15' },
    pause: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    small: { type: 'boolean', default: false },
    output: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(
    'node perf/chaos.ts [--hosts 10] [--minutes 10] [--interval 15] [--seed 1]\n' +
      '  --pause <s>: between two acts on one host, on average (30)\n' +
      '  --small: 60 resources in place of 300\n' +
      '  --output <file>: keep the result there, as JSON\n' +
      'Ctrl-C ends the chaos and judges what was done.\n' +
      'Exit code 1 when a drift was not repaired in time or anything else is not as promised.\n',
  );
  process.exit();
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
const counts = values.small ? smallHost : fullHost;
const startedAt = new Date().toISOString();
const loadBefore = loadavg();
const result = await chaosRun({
  hosts: Number(values.hosts),
  counts,
  minutes: Number(values.minutes),
  intervalMs: Number(values.interval) * 1000,
  pauseMs: Number(values.pause) * 1000,
  seed: Number(values.seed),
  signal: stop.signal,
  onProgress: (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`),
});
const summary = summarizeChaos(result);
const report = {
  startedAt,
  endedAt: new Date().toISOString(),
  commit: measuredCommit,
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
  load: { before: loadBefore, after: loadavg() },
  options: { ...values, resources: result.resources },
  ...summary,
};
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
if (values.output !== undefined)
  writeFileSync(values.output, `${JSON.stringify(report, undefined, 2)}\n`);
const wrong = complaints(summary);
for (const complaint of wrong) console.error(complaint);
console.error(wrong.length === 0 ? 'all as promised' : `${wrong.length} complaints`);
process.exitCode = wrong.length === 0 ? 0 : 1;
