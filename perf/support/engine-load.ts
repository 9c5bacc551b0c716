import type { Address } from '../../runtime/actor.ts';
import type { ThreadSystem } from '../../runtime/system.ts';
import type { EchoMessages } from './engine-kinds.ts';

const deadline = { deadlineMs: 60_000 };
/** Messages on their way at once. */
const window = 512;

/** Questions and answers per second of CPU time, `window` at a time. */
export async function askMany(
  system: ThreadSystem,
  to: Address<EchoMessages>,
  count: number,
): Promise<number> {
  const started = process.cpuUsage();
  let asked = 0;
  const lane = async () => {
    while (asked < count) {
      asked += 1;
      await system.ask(to, 'echo', asked, deadline);
    }
  };
  await Promise.all(Array.from({ length: window }, lane));
  return perSecond(count, started);
}

/** One-way messages per second of CPU time, until the receiver has counted all of them. */
export async function tellMany(
  system: ThreadSystem,
  to: Address<EchoMessages>,
  count: number,
): Promise<number> {
  const before = await system.ask(to, 'counted', undefined, deadline);
  const started = process.cpuUsage();
  for (let sent = 0; sent < count; sent += window) {
    for (let index = 0; index < window; index += 1) system.tell(to, 'count', index);
    await system.ask(to, 'counted', undefined, deadline);
  }
  const after = await system.ask(to, 'counted', undefined, deadline);
  return perSecond(after - before, started);
}

/** Per second of CPU time of the whole process: other work on the machine hardly shows in it. */
export function perSecond(count: number, started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return Math.round((count * 1_000_000) / (user + system));
}
