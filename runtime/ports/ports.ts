import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';
import type { Random } from './random.ts';

/** All the nondeterminism that the runtime and the actors may touch (design law 6). */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}
