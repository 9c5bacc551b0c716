import { type BenchRun, withRun } from '../run/bench-run.ts';
import type { Mode, PublishFigures } from './mode-report.ts';
import { reached } from './reached.ts';

/** Envoys that have not the version by then are reported as missing. */
const limitIntervals = 5;

/** A changed policy is published: how long until the fleet runs it. */
export const publishMode: Mode = (options, parts) =>
  withRun(options, parts, async (run) => {
    await run.connect();
    await run.openWindow();
    const publish = await publishNow(run);
    await run.pass(options.durationMs, (left) => `published; watching it for ${left} s`);
    return { mode: 'publish', ...(await run.closeWindow()), publish };
  });

export async function publishNow(run: BenchRun): Promise<PublishFigures> {
  const { server, generator, options } = run;
  const next = (await server.policyVersion()) + 1;
  server.changeStack(next);
  generator.startWatch(next);
  const fromMs = Date.now();
  await server.publish();
  const request_s = (Date.now() - fromMs) / 1000;
  await run.until(
    () => generator.watchProgress().told >= options.envoys,
    () => `${generator.watchProgress().taken} of ${options.envoys} envoys run version ${next}`,
    undefined,
    limitIntervals * options.intervalMs,
  );
  const { taken, told } = await run.watched();
  return {
    version: next,
    request_s,
    taken: reached(taken, fromMs),
    told: reached(told, fromMs),
  };
}
