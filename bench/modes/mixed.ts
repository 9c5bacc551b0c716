import { Viewers } from '../fleet/viewers.ts';
import { withRun } from '../run/bench-run.ts';
import type { Mode } from './mode-report.ts';
import { publishNow } from './publish.ts';
import { burstNow } from './reports.ts';

/** Everything at once: check-ins, changes, viewers, a publish, and a burst of reports. */
export const mixedMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    const { server } = run;
    const makeToken = (name: string) => server.viewerToken(name);
    const viewers = new Viewers(server.api, makeToken, options.turnEveryMs);
    await viewers.start(options.viewers);
    await run.openWindow();
    const quarter = (what: string) => run.pass(options.durationMs / 4, (s) => `${what}, ${s} s`);
    await quarter('check-ins, changes and viewers');
    const publish = await publishNow(run);
    await quarter('after the publish');
    const burst = await burstNow(run, options.burst);
    await quarter('after the burst');
    const figures = viewers.figures(options.viewers);
    const report = await run.closeWindow();
    await viewers.stop();
    const unknown = { latency_p99_ratio: 0, server_cpu_ratio: 0, server_cores_added: 0 };
    return { mode: 'mixed', ...report, publish, burst, viewers: { ...figures, ...unknown } };
  });
