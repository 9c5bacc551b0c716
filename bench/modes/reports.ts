import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchRun, withRun } from '../run/bench-run.ts';
import type { BurstFigures, Mode } from './mode-report.ts';

/** Until the order has reached every generator thread. */
const noticeMs = 300;
const limitMs = 600_000;
const databasePollMs = 50;

/** A bad day: many envoys have changes to report at the same moment. */
export const reportsMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    await run.openWindow();
    const burst = await burstNow(run, options.burst);
    await run.pass(options.durationMs, (left) => `all durable; watching it for ${left} s`);
    return { mode: 'reports', ...(await run.closeWindow()), burst };
  });

export async function burstNow(run: BenchRun, share: number): Promise<BurstFigures> {
  const { generator, options, server } = run;
  const envoys = Math.round(share * options.envoys);
  const before = generator.counts();
  const bursts = () => generator.counts().bursts - before.bursts;
  const failed = () => sum(generator.counts().errors) - sum(before.errors);
  const fromMs = Date.now() + noticeMs;
  generator.burst(share, fromMs);
  await run.until(
    () => bursts() >= envoys,
    () => `${bursts()} of ${envoys} reports are durable`,
    undefined,
    limitMs,
  );
  const durable_s = generator.counts().lastBurstMs - fromMs;
  while (!(await server.drained())) await sleep(databasePollMs);
  return {
    envoys,
    durable_s: Math.round(durable_s) / 1000,
    in_database_s: (Date.now() - fromMs) / 1000,
    retries: failed(),
  };
}

function sum(errors: Readonly<Record<string, number>>): number {
  return Object.values(errors).reduce((total, count) => total + count, 0);
}
