/**
 * The tables of docs/capacity.md: which machine for which fleet, modelled from a plan that was
 * measured. `node perf/capacity-table.ts [PLAN.json] [--write]`, where PLAN.json is what `vigobench
 * plan --json` printed; --write puts them into the page.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { carries, hardwareFor, needsOf, restartSeconds } from '../bench/plan/model.ts';
import type { PlanReport } from '../bench/plan/plan.ts';
import { tableMarkdown } from '../bench/present/markdown.ts';

const kept = new URL('results/bench-plan.json', import.meta.url).pathname;
const page = new URL('../docs/capacity.md', import.meta.url).pathname;
const marks = ['<!-- modelled tables: begin -->', '<!-- modelled tables: end -->'] as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false } },
});
const plan = JSON.parse(readFileSync(positionals[0] ?? kept, 'utf8')) as PlanReport;
const { model } = plan.measured;
const { changed } = plan.options;
const fleets = [1000, 5000, 20_000, 100_000, 250_000, 1_000_000];
const intervals = [15, 60, 300, 1800];

function name(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${seconds / 60} min`;
}

function cell(envoys: number, interval_s: number): string {
  const fleet = { envoys, interval_s, changed };
  const { cores, memory_gb, writer_keeps_up } = hardwareFor(model, fleet);
  const { cpu } = needsOf(model, fleet);
  const machine = `${cores ?? 'more than 128'} cores, ${memory_gb ?? 'more than 512'} GB`;
  return `${machine} (${cpu.toFixed(2)} busy)${writer_keeps_up ? '' : ', too many reports for one writer'}`;
}

const hardware = tableMarkdown({
  columns: ['Envoys', ...intervals.map(name)],
  rows: fleets.map((envoys) => [
    envoys.toLocaleString('en'),
    ...intervals.map((interval) => cell(envoys, interval)),
  ]),
});
const machine = { cores: 2, memory_kb: 4 * 2 ** 20, open_files: 2 ** 20, disk_bytes: 1e12 };
const sizes = [
  { cores: 2, gb: 4 },
  { cores: 4, gb: 16 },
  { cores: 8, gb: 32 },
  { cores: 16, gb: 64 },
];
const largest = tableMarkdown({
  columns: ['Machine', ...intervals.map(name)],
  rows: sizes.map(({ cores, gb }) => [
    `${cores} cores, ${gb} GB`,
    ...intervals.map((interval_s) => {
      const limits = { ...machine, cores, memory_kb: gb * 2 ** 20 };
      return carries(model, { interval_s, changed }, limits).toLocaleString('en');
    }),
  ]),
});
const restart = [1000, 20_000, 100_000].map((envoys) => {
  const fleet = { envoys, interval_s: 15, changed };
  return [2, 8].map((cores) => `${Math.round(restartSeconds(model, fleet, { cores }))} s`);
});
const percent = (share: number) => `${share < 0 ? '' : '+'}${Math.round(share * 100)} %`;
const others = Math.max(...plan.measured.points.map(({ other_cores }) => other_cores));
const { error } = plan.measured;
const text = [
  `Modelled from a plan measured on ${plan.machine.cpu}, ${plan.machine.cores} cores, Node`,
  `${plan.machine.node}, while other programs took up to ${others.toFixed(1)} cores. Error of the`,
  `model where it was checked: CPU ${percent(error.cpu)}, memory ${percent(error.memory)}.`,
  `${changed * 100} % of check-ins have changes. Per check-in`,
  `${model.cpu_us_per_checkin.toFixed(0)} µs (one verification: ${plan.verify_us.toFixed(0)} µs),`,
  `per report ${model.cpu_us_per_report.toFixed(0)} µs, per envoy ${model.kb_per_envoy.toFixed(0)} KB`,
  `beside ${(model.base_kb / 2 ** 20).toFixed(1)} GB.`,
  `\nMachine for a fleet:\n\n${hardware}\n`,
  `The largest fleet of a machine, with enough open files:\n\n${largest}\n`,
  `Whole after a restart at 15 s (on 2 cores, on 8 cores): 1,000 envoys ${restart[0]?.join(', ')};`,
  `20,000 ${restart[1]?.join(', ')}; 100,000 ${restart[2]?.join(', ')}.\n`,
].join('\n');
process.stdout.write(text);
if (values.write) {
  const whole = readFileSync(page, 'utf8');
  const [from, to] = [whole.indexOf(marks[0]), whole.indexOf(marks[1])];
  if (from < 0 || to < from) throw new Error(`${page} has no place for the tables`);
  const before = whole.slice(0, from + marks[0].length);
  writeFileSync(page, `${before}\n${text}\n${whole.slice(to)}`);
}
