import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerFigures } from '../fleet/server-under-test.ts';
import { type BenchRun, type WindowReport, withRun } from '../run/bench-run.ts';
import { type DatabaseObject, databaseObjects } from '../run/disk.ts';
import type { Growth, Mode, SoakFigures } from './mode-report.ts';
import { trendOf } from './trend.ts';

/** The part of the window in which heaps and caches are still filling. */
const warmUpShare = 1 / 3;
const secondsPerHour = 3600;
const kb = 1024;
/** Database objects that are named apart. */
const namedMax = 12;

/** A long run: does memory grow, and what do the files grow by? */
export const soakMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    const before = await diskOf(run);
    await run.openWindow();
    await run.pass(options.durationMs, (left) => {
      const { done, missed, reports } = run.generator.counts();
      return `soaking: ${done} check-ins, ${missed} missed, ${reports} reports, ${left} s left`;
    });
    const report = await run.closeWindow();
    const after = await diskOf(run);
    return { mode: 'soak', ...report, soak: soakFigures(report, before, after) };
  });

interface Disk {
  readonly objects: ReadonlyMap<string, DatabaseObject>;
  readonly walBytes: number;
  readonly stores: ServerFigures['shards'];
}

function soakFigures(report: WindowReport, before: Disk, after: Disk): SoakFigures {
  const { samples } = report;
  const fromS =
    (samples[0]?.s ?? 0) + ((samples.at(-1)?.s ?? 0) - (samples[0]?.s ?? 0)) * warmUpShare;
  const points = samples
    .filter(({ s }) => s >= fromS)
    .map(({ s, rss_mb }) => [s, rss_mb * kb] as const);
  const { slope, slopeError } = trendOf(points);
  return {
    warm_up_s: Math.round(fromS),
    rss_kb_per_hour: Math.round(slope * secondsPerHour),
    rss_kb_per_hour_error: Math.round(slopeError * secondsPerHour),
    growth: growthOf(before, after),
  };
}

async function diskOf(run: BenchRun): Promise<Disk> {
  const { home, databaseFile } = run.server;
  const wal = statSync(join(home, 'db/vigo.db-wal'), { throwIfNoEntry: false });
  const { shards } = await run.server.figures();
  return { objects: databaseObjects(databaseFile), walBytes: wal?.size ?? 0, stores: shards };
}

function growthOf(before: Disk, after: Disk): Growth[] {
  const objects = [...after.objects].map(([name, { bytes, rows }]) => {
    const old = before.objects.get(name) ?? { bytes: 0, rows: 0 };
    return { name, kb: Math.round((bytes - old.bytes) / kb), rows: rows - old.rows };
  });
  const grown = objects.filter((object) => object.kb !== 0).sort((a, b) => b.kb - a.kb);
  const rest = grown.slice(namedMax).reduce((sum, object) => sum + object.kb, 0);
  const stores = after.stores.map(({ thread, store }) => {
    const old = before.stores.find((shard) => shard.thread === thread)?.store?.usedBytes ?? 0;
    const grew = Math.round(((store?.usedBytes ?? 0) - old) / kb);
    return {
      what: `store of ${thread}`,
      kb: grew,
      because: 'hot records and the outbox; freed pages are used again',
    };
  });
  return [
    ...grown.slice(0, namedMax).map((object) => ({
      what: `database: ${object.name}`,
      kb: object.kb,
      rows: object.rows,
      because: reasonOf(object.name),
    })),
    ...(rest > 0 ? [{ what: 'database: other objects', kb: rest, because: 'small ones' }] : []),
    {
      what: 'write-ahead log',
      kb: Math.round((after.walBytes - before.walBytes) / kb),
      because: 'bounded: used again after each checkpoint',
    },
    ...stores,
  ];
}

/** Why an object of the database grows, and what bounds it. */
function reasonOf(name: string): string {
  if (/run|resource|result/.test(name)) return 'reports; bounded by database.runs_per_envoy';
  if (/audit/.test(name)) return 'audit entries; kept for ever, by design';
  if (/envoy|trait/.test(name)) return 'what is known of each envoy; bounded by their number';
  return 'bookkeeping';
}
