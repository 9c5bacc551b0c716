import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { StateFiles } from '../agent/offline/state-files.ts';
import { nodeVerifier } from '../agent/platform/crypto.ts';
import { createNodePlatform } from '../agent/platform/node-platform.ts';
import { createTraitCollection, stablePasses } from '../agent/traits/collect.ts';
import { ToldTraits } from '../agent/traits/told-traits.ts';

/**
 * What do the traits of this machine cost? The first look at everything, a later pass (one in ten
 * looks at the stable ones again), the decision what to tell the server, and each collector alone;
 * beside starting one program that does nothing, which is what a tool that asks programs pays for
 * each of its questions. Milliseconds of wall and CPU time, medians.
 * Run: `node perf/traits.ts` (`--json` for programs).
 */
const rounds = 300;
const collectorRounds = 40;
const intervalMs = 15_000;
const mebibyte = 1024 * 1024;

interface Figure {
  readonly medianMs: number;
  readonly bestMs: number;
  readonly cpuMs: number;
}

async function measure(total: number, work: () => unknown): Promise<Figure> {
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < total; round += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  const cpuMs = rounded((user + system) / 1000 / total);
  return { medianMs: rounded(times[times.length >> 1]!), bestMs: rounded(times[0]!), cpuMs };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** What is kept over a restart costs a write only when there is news. */
const noFiles: StateFiles = {
  directory: '/',
  read: async () => undefined,
  replace: async () => undefined,
  append: async () => undefined,
  readAt: async () => new Uint8Array(0),
  remove: async () => undefined,
  mode: async () => undefined,
};

const platform = createNodePlatform();
const collection = createTraitCollection(platform);
const start = performance.now();
const first = await collection.collect();
const firstMs = rounded(performance.now() - start);
const told = new ToldTraits({
  files: noFiles,
  hash: nodeVerifier(),
  nowMs: () => platform.clock.nowMs(),
  isNews: collection.isNews,
  random: () => 0.5,
  onError: (error) => console.error(error),
});
const { json } = await told.document(first.traits);
await measure(stablePasses * 2, () => collection.collect());
const rssBefore = process.memoryUsage().rss;
const pass = await measure(rounds, () => collection.collect());
const full = await measure(collectorRounds, () => collection.collect(collection.names));
let current = first.traits;
const decide = await measure(rounds, async () => {
  current = { ...current, ...(await collection.collect(['loadavg', 'memory', 'time'])).traits };
  await told.document(current);
});
const rssAfter = process.memoryUsage().rss;
const program = await measure(collectorRounds, () => spawnSync('/bin/true'));
const each: Record<string, Figure> = {};
for (const name of collection.names) {
  each[name] = await measure(collectorRounds, () => collection.collect([name]));
}
const report = {
  traits: Object.keys(first.traits).length,
  documentBytes: json.length,
  firstMs,
  full,
  pass,
  decide,
  program,
  passPerProgram: rounded(pass.medianMs / program.medianMs),
  fullPerProgram: rounded(full.medianMs / program.medianMs),
  corePercentAtInterval: rounded((pass.cpuMs / intervalMs) * 100),
  rssGrowthMiB: rounded((rssAfter - rssBefore) / mebibyte),
  each,
};
if (process.argv.includes('--json')) console.log(JSON.stringify(report));
else {
  const { each: collectors, ...rest } = report;
  console.log(rest);
  console.table(collectors);
}
