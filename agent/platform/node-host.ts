import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentClock, Host } from './platform.ts';

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

  /** Returns early, without an error, when the signal is aborted. */
  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    try {
      await delay(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch {
      return;
    }
  }
}
