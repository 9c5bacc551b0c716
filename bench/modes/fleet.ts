import { withRun } from '../run/bench-run.ts';
import type { Mode } from './mode-report.ts';

/** Steady state: every envoy checks in once per interval. */
export const fleetMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    await run.openWindow(options.signAhead ? options.durationMs : 0);
    await run.pass(options.durationMs, (left) => {
      const { done, missed } = run.generator.counts();
      return `measuring: ${done} check-ins, ${missed} missed, ${left} s left`;
    });
    return { mode: 'fleet', ...(await run.closeWindow()) };
  });
