import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { AgentClock, Host } from './platform.ts';

/** Node's timers take no longer delay. */
const timerLimitMs = 2 ** 31 - 1;

export class NodeHost implements Host {
  readonly operatingSystem: string = process.platform;
  readonly architecture: string = process.arch;
  readonly effectiveUid: number = process.geteuid?.() ?? 0;

  hostname(): string {
    return hostname();
  }

  randomBytes(length: number): Uint8Array {
    return randomBytes(length);
  }
}

export class NodeClock implements AgentClock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(delayMs, timerLimitMs));
      signal?.addEventListener('abort', end);
    });
  }
}
