import { randomBytes } from 'node:crypto';
import type { HomeEnvironment } from '../../../actors/server/home/environment.ts';

export const startMs = Date.UTC(2030, 0, 1);

/** A machine whose clock stands where the test puts it. */
export function testEnvironment(
  change: { nowMs?: () => number; hostname?: string; addresses?: string[] } = {},
): HomeEnvironment {
  return {
    clock: { nowMs: change.nowMs ?? (() => startMs) },
    random: { bytes: (length) => randomBytes(length) },
    hostname: change.hostname ?? 'server.test',
    addresses: change.addresses ?? ['10.1.2.3'],
  };
}
