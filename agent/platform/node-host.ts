import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import type { AgentClock, FileSystemSize, Host, NetworkInterface } from './platform.ts';
import { platformError } from './platform-error.ts';

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

  networkInterfaces(): readonly NetworkInterface[] {
    return Object.entries(networkInterfaces()).map(([name, addresses = []]) => ({
      name,
      loopback: addresses.some((one) => one.internal),
      macAddress: addresses[0]?.mac.toLowerCase() ?? '00:00:00:00:00:00',
      addresses: addresses.map((one) => one.address),
    }));
  }

  async fileSystemSize(path: string): Promise<FileSystemSize> {
    try {
      const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
      return {
        totalBytes: blocks * bsize,
        freeBytes: bfree * bsize,
        availableBytes: bavail * bsize,
        inodes: files,
        freeInodes: ffree,
      };
    } catch (thrown) {
      throw platformError('statfs', path, thrown);
    }
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
