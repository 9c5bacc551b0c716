import { processCpuUs } from '../fleet/process-cost.ts';
import { Viewers } from '../fleet/viewers.ts';
import { type BenchRun, withRun } from '../run/bench-run.ts';
import type { Mode } from './mode-report.ts';

/** The first half of the time has no viewers, the second has them. */
export const dashboardMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    const alone = await half(run, 'without viewers');
    const { server } = run;
    const makeToken = (name: string) => server.viewerToken(name);
    const viewers = new Viewers(server.api, makeToken, options.turnEveryMs);
    await viewers.start(options.viewers);
    await viewers.seated(options.viewers);
    const watched = await half(run, `${options.viewers} viewers`, () => viewers.startMeasuring());
    const report = await run.closeWindow();
    await viewers.stop();
    return {
      mode: 'dashboard',
      ...report,
      viewers: {
        ...viewers.figures(options.viewers),
        latency_p99_ratio: ratio(watched.latencyP99Ms, alone.latencyP99Ms),
        server_cpu_ratio: ratio(watched.cpuUsPerCheckIn, alone.cpuUsPerCheckIn),
        server_cores_added: Math.round((watched.cores - alone.cores) * 1000) / 1000,
      },
    };
  });

interface Half {
  readonly latencyP99Ms: number;
  readonly cpuUsPerCheckIn: number;
  readonly cores: number;
}

async function half(run: BenchRun, what: string, begin = () => {}): Promise<Half> {
  const { generator, options, server } = run;
  await run.openWindow();
  begin();
  const beganMs = performance.now();
  const beforeUs = processCpuUs(server.pid);
  await run.pass(options.durationMs / 2, (left) => {
    const { done, missed } = generator.counts();
    return `${what}: ${done} check-ins, ${missed} missed, ${left} s left`;
  });
  const cpuUs = processCpuUs(server.pid) - beforeUs;
  return {
    latencyP99Ms: generator.latencyP99Ms,
    cpuUsPerCheckIn: cpuUs / Math.max(1, generator.counts().done),
    cores: cpuUs / 1000 / (performance.now() - beganMs),
  };
}

/** Two digits; 0 when there is nothing to compare with. */
export function ratio(value: number, reference: number): number {
  return reference > 0 ? Math.round((value / reference) * 100) / 100 : 0;
}
