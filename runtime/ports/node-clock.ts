import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.ts';

/** The operating system's clocks and Node's timers. */
export function nodeClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(delayMs, run, options) {
      const timer = setTimeout(run, delayMs);
      if (options?.unref) timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    soon: (run) => {
      setImmediate(run);
    },
  };
}
