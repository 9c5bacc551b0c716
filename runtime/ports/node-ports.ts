import { nodeClock } from './node-clock.ts';
import { nodeDisk } from './node-disk.ts';
import { nodeRandom } from './node-random.ts';
import type { Ports } from './ports.ts';

/** The doors to the real machine. */
export function nodePorts(): Ports {
  return { clock: nodeClock(), random: nodeRandom(), disk: nodeDisk() };
}
