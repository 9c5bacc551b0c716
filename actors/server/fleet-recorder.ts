import type { ActorSystem } from '../../runtime/actor.ts';
import { fleetAddress } from '../fleet/messages.ts';
import { minuteMs } from '../sink/fleet-history.ts';
import { latencyAt } from './endpoint/latency.ts';
import { type FleetCounters, fleetCountersControl } from './fleet-counters.ts';

const askDeadlineMs = 5_000;

interface RecorderSystem extends Pick<ActorSystem, 'ports' | 'tell'> {
  request(thread: string, name: string, body: unknown, deadlineMs: number): Promise<unknown>;
}

/** Once a minute, asks the shards what they did and hands it to the history. */
export class FleetRecorder {
  readonly #system: RecorderSystem;
  readonly #shards: readonly string[];
  readonly #before = new Map<string, FleetCounters>();
  #measuredMs: number;
  #stopped = false;

  constructor(system: RecorderSystem, shards: readonly string[]) {
    this.#system = system;
    this.#shards = shards;
    this.#measuredMs = system.ports.clock.monotonicMs();
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
  }

  #wait(): void {
    const { clock } = this.#system.ports;
    const untilNextMs = minuteMs - (clock.nowMs() % minuteMs);
    clock.after(untilNextMs, () => void this.#record(), { unref: true });
  }

  async #record(): Promise<void> {
    if (this.#stopped) return;
    const { clock } = this.#system.ports;
    const since = await this.#sinceLast();
    const nowMs = clock.nowMs();
    const monotonicMs = clock.monotonicMs();
    const coveredMs = Math.round(monotonicMs - this.#measuredMs);
    this.#measuredMs = monotonicMs;
    // The minute that just ended, also where the timer came a moment early.
    const ended = nowMs - minuteMs / 2;
    this.#system.tell(fleetAddress(), 'minute', {
      atMs: ended - (ended % minuteMs),
      coveredMs,
      checkIns: since.checkIns,
      reports: since.reports,
      latencyP50Us: latencyAt(since.latency, 0.5),
      latencyP99Us: latencyAt(since.latency, 0.99),
    });
    this.#wait();
  }

  /** Over all shards. One that was replaced counts from nothing; one that does not answer counts later. */
  async #sinceLast(): Promise<FleetCounters> {
    const total = { checkIns: 0, reports: 0, latency: [] as number[] };
    for (const shard of this.#shards) {
      const answer = await this.#system
        .request(shard, fleetCountersControl, undefined, askDeadlineMs)
        .catch(() => undefined);
      if (answer === undefined) continue;
      const now = answer as FleetCounters;
      const known = this.#before.get(shard);
      const before = known !== undefined && known.checkIns <= now.checkIns ? known : undefined;
      this.#before.set(shard, now);
      total.checkIns += now.checkIns - (before?.checkIns ?? 0);
      total.reports += Math.max(0, now.reports - (before?.reports ?? 0));
      for (const [bucket, count] of now.latency.entries()) {
        const more = count - (before?.latency[bucket] ?? 0);
        total.latency[bucket] = (total.latency[bucket] ?? 0) + Math.max(0, more);
      }
    }
    return total;
  }
}
