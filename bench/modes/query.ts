import { setTimeout as sleep } from 'node:timers/promises';
import { processCpuUs } from '../fleet/process-cost.ts';
import { type BenchRun, withRun } from '../run/bench-run.ts';
import type { Mode, QueryFigures } from './mode-report.ts';
import { reached } from './reached.ts';

/** Envoys that have given no answer by then are reported as missing. */
const limitIntervals = 5;
const limitLeastMs = 30_000;
const databasePollMs = 50;

/**
 * A question to the whole fleet, as `vigocli config plan --live --all` asks it: each envoy learns of it
 * with the answer to its next check-in, dry-runs, and tells the result in a signed report.
 */
export const queryMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    await run.openWindow();
    const baseline = await baselineCores(run, options.durationMs);
    const query = await askNow(run, baseline);
    return { mode: 'query', ...(await run.closeWindow()), query };
  });

/** What the check-ins alone keep busy. */
async function baselineCores(run: BenchRun, ms: number): Promise<number> {
  const beganMs = performance.now();
  const beganUs = processCpuUs(run.server.pid);
  await run.pass(ms, (left) => `check-ins alone, ${left} s left`);
  return (processCpuUs(run.server.pid) - beganUs) / 1000 / (performance.now() - beganMs);
}

async function askNow(run: BenchRun, baseline_cores: number): Promise<QueryFigures> {
  const { server, generator, options } = run;
  const waitMs = Math.max(limitLeastMs, limitIntervals * options.intervalMs);
  server.changeStack((await server.policyVersion()) + 1);
  generator.startWatch(Number.POSITIVE_INFINITY);
  const beganUs = processCpuUs(server.pid);
  const fromMs = Date.now();
  const { id, asked } = await server.plan(waitMs);
  const request_s = (Date.now() - fromMs) / 1000;
  await run.until(
    () => generator.watchProgress().rehearsed >= asked,
    () => `${generator.watchProgress().rehearsed} of ${asked} envoys have answered`,
    undefined,
    waitMs,
  );
  while (!(await server.drained())) await sleep(databasePollMs);
  const passedMs = Date.now() - fromMs;
  const spentUs = processCpuUs(server.pid) - beganUs - baseline_cores * passedMs * 1000;
  const { rehearsed } = await run.watched();
  const answers = rehearsed.filter((timeMs) => timeMs > 0).length;
  return {
    asked,
    request_s,
    answered: reached(rehearsed, fromMs, asked),
    in_database_s: passedMs / 1000,
    joined: await server.planAnswers(id),
    baseline_cores: Math.round(baseline_cores * 100) / 100,
    server_cpu_us_per_answer: Math.max(0, Math.round(spentUs / Math.max(1, answers))),
  };
}
