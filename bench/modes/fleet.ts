import { withRun } from '../run/bench-run.ts';
import type { Mode } from './mode-report.ts';

/** What is signed ahead begins before the window, while the server grows calm. */
const settleTimeMs = 10_000;

/** Steady state: every envoy checks in once per interval. */
export const fleetMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    await run.openWindow(options.signAhead ? options.durationMs + settleTimeMs : 0);
    await run.pass(options.durationMs, (left) => {
      const { done, missed } = run.generator.counts();
      return `measuring: ${done} check-ins, ${missed} missed, ${left} s left`;
    });
    return { mode: 'fleet', ...(await run.closeWindow()) };
  });
