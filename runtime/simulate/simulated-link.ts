import type { Link } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import type { SimulatedTime } from './simulated-clock.ts';

interface End {
  receive: ((batch: Uint8Array) => void) | undefined;
  open: boolean;
}

/**
 * Two ends of an in-memory link. Batches arrive in order, each after a random delay of at most
 * `maxDelayMs`; what is on its way when an end closes is lost.
 */
export function simulatedLinks(
  time: SimulatedTime,
  random: Random,
  maxDelayMs: number,
): [Link, Link] {
  const ends: [End, End] = [
    { receive: undefined, open: true },
    { receive: undefined, open: true },
  ];
  const direction = (from: End, to: End): Link => {
    let lastMs = 0;
    return {
      send(batch) {
        if (!from.open) return;
        const copy = batch.slice();
        lastMs = Math.max(lastMs, time.nowMs + random.fraction() * maxDelayMs);
        time.at(lastMs, () => {
          if (to.open) to.receive?.(copy);
        });
      },
      onReceive(receive) {
        from.receive = receive;
      },
      close() {
        from.open = false;
      },
    };
  };
  return [direction(ends[0], ends[1]), direction(ends[1], ends[0])];
}
