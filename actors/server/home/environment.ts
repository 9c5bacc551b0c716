import { hostname, networkInterfaces } from 'node:os';
import type { Clock } from '../../../runtime/ports/clock.ts';
import type { Random } from '../../../runtime/ports/random.ts';

/** What the machine says about itself when a home is made or opened. */
export interface HomeEnvironment {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly random: Pick<Random, 'bytes'>;
  readonly hostname: string;
  /** Addresses that a node could dial, without link-local ones. */
  readonly addresses: readonly string[];
}

/** The real machine's environment around the given ports. */
export function machineEnvironment(
  clock: Pick<Clock, 'nowMs'>,
  random: Pick<Random, 'bytes'>,
): HomeEnvironment {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => !entry.address.toLowerCase().startsWith('fe80:'))
    .map((entry) => entry.address);
  return { clock, random, hostname: hostname(), addresses };
}
