/**
 * The table of docs/capacity.md: which machine for which fleet, modelled from a plan that was
 * measured. `node perf/capacity-table.ts [PLAN.json]`, where PLAN.json is what `vigobench plan --json`
 * printed.
 */
import { readFileSync } from 'node:fs';
import { carries, hardwareFor, needsOf, restartSeconds } from '../bench/plan/model.ts';
import type { PlanReport } from '../bench/plan/plan.ts';
import { tableMarkdown } from '../bench/present/markdown.ts';

const kept = new URL('results/plan.json', import.meta.url).pathname;
const plan = JSON.parse(readFileSync(process.argv[2] ?? kept, 'utf8')) as PlanReport;
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
process.stdout.write(
  `From the plan of ${plan.machine.cpu}, ${plan.machine.cores} cores, ${plan.machine.node}; ` +
    `${changed * 100} % of check-ins with changes; modelled.\n\n${hardware}\n\n` +
    `The largest fleet of a machine, modelled:\n\n${largest}\n\n` +
    `Until whole after a restart at 15 s (2 cores, 8 cores): 1,000 envoys ${restart[0]?.join(', ')}; ` +
    `20,000 ${restart[1]?.join(', ')}; 100,000 ${restart[2]?.join(', ')}.\n`,
);
