import { BenchError } from '../errors.ts';
import type { Progress } from '../fleet/progress.ts';

const signalExitCodes = { SIGINT: 130, SIGHUP: 129, SIGTERM: 143 } as const;

/** The first signal ends the run in order, a second one at once. */
export function stopOnSignal(progress: Progress): AbortSignal {
  const controller = new AbortController();
  for (const [name, exitCode] of Object.entries(signalExitCodes)) {
    process.on(name, () => {
      process.exitCode = exitCode;
      if (controller.signal.aborted) process.exit();
      progress.say('stopping the server and removing its temporary home');
      controller.abort(new BenchError('BENCH_INTERRUPTED', name));
    });
  }
  return controller.signal;
}
