import { setTimeout as sleep } from 'node:timers/promises';
import { processCpuUs } from '../fleet/process-cost.ts';
import { type BenchRun, withRun } from '../run/bench-run.ts';
import { offlineAlarms } from '../run/disk.ts';
import type { HerdFigures, Mode, ModeOptions } from './mode-report.ts';
import { reached } from './reached.ts';

/** About when the server would call an envoy offline: so many intervals, and at least so long. */
const offlineIntervals = 3;
const offlineLeastMs = 3000;
/** A fleet that is not whole by then is reported as it is. */
const wholeLimitMs = 600_000;
const databasePollMs = 100;

/** Under which the server counts connections that it did not let in. */
const cutOff = 'CONNECTION_CUT_OFF';

/** The server is ended and started again under all its envoys. */
export const herdMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    await run.openWindow();
    const herd = await restart(run, options);
    await run.pass(options.durationMs, (left) => `whole again; watching it for ${left} s`);
    while (!(await run.server.drained())) await sleep(databasePollMs);
    const false_offline = offlineAlarms(run.server.databaseFile, herd.downMs);
    const report = await run.closeWindow();
    const { resumed: resumed_sessions } = run.generator.counts();
    const { reconnects } = report;
    const figures = { ...herd.figures, false_offline, reconnects, resumed_sessions };
    return { mode: 'herd', ...report, herd: figures };
  });

interface Restarted {
  readonly downMs: number;
  readonly figures: Omit<HerdFigures, 'false_offline' | 'reconnects' | 'resumed_sessions'>;
}

async function restart(run: BenchRun, options: ModeOptions): Promise<Restarted> {
  const { server, generator } = run;
  generator.startWatch(Number.POSITIVE_INFINITY);
  await (options.how === 'kill' ? server.kill() : server.stop());
  const downMs = Date.now();
  generator.startWatch(Number.POSITIVE_INFINITY);
  await server.start();
  const down_s = (Date.now() - downMs) / 1000;
  run.serverReplaced();
  await run.until(
    () => generator.watchProgress().back >= options.envoys,
    () => `${generator.watchProgress().back} of ${options.envoys} envoys are back`,
    undefined,
    wholeLimitMs,
  );
  const server_cpu_s_until_whole = Math.round(processCpuUs(server.pid) / 10_000) / 100;
  const { back, longestGap } = await run.watched();
  const limitMs = Math.max(offlineIntervals * options.intervalMs, offlineLeastMs);
  const { shards } = await server.figures();
  const figures = {
    how: options.how,
    down_s,
    back: reached(back, downMs),
    silent_envoys: longestGap.filter((gapMs) => gapMs > limitMs).length,
    longest_silence_s: Math.round(Math.max(0, ...longestGap)) / 1000,
    refused_handshakes: shards.reduce((sum, { refusals }) => sum + (refusals?.[cutOff] ?? 0), 0),
    server_cpu_s_until_whole,
  };
  return { downMs, figures };
}
