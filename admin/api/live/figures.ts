import type { LiveEvent } from '../../../actors/events/messages.ts';
import type { ServerStatus } from '../../../actors/server/status.ts';

/** What the figures of one reading are made of. */
export type ServerReading = Pick<
  ServerStatus,
  'nowMs' | 'process' | 'shards' | 'service' | 'sink' | 'totals' | 'policyVersion'
>;

/** The alerts of docs/monitoring/alerts.yaml that the server can see by itself, by the same limits. */
const sinkLagMsMax = 60_000;
const storeShareMax = 0.8;

interface Alarm {
  readonly code: string;
  readonly message: string;
}

export function serverFigures(
  now: ServerReading,
  before: ServerReading,
  viewers: number,
): LiveEvent {
  const seconds = Math.max(0.001, (now.nowMs - before.nowMs) / 1000);
  const rate = (later: number, earlier: number): number =>
    Math.round(Math.max(0, ((later - earlier) / seconds) * 10)) / 10;
  const refusals = ({ totals }: ServerReading): number =>
    Object.values(totals.refusals).reduce((sum, count) => sum + count, 0);
  const { totals, sink } = now;
  const data = {
    shards: now.shards.length,
    connections: totals.connections,
    checkInsPerSecond: rate(totals.checkIns, before.totals.checkIns),
    reportsPerSecond: rate(totals.reports, before.totals.reports),
    refusalsPerSecond: rate(refusals(now), refusals(before)),
    sinkWaitingEvents: sink?.waitingEvents ?? 0,
    sinkLagMs: sink?.lagMs ?? 0,
    rssKb: now.process.rssKb,
    /** Of one core: 250 is two cores and a half. */
    cpuPercent: rate(now.process.cpuUs, before.process.cpuUs) / 10_000,
    policyVersion: now.policyVersion,
    viewers,
  };
  return { type: 'server.figures', atMs: now.nowMs, data };
}

/** What should worry somebody now. `shards`: how many there should be. */
function alarmsOf({ shards, service, sink }: ServerReading, expected: number): Alarm[] {
  const alarms: Alarm[] = [];
  if (shards.length < expected || service === undefined) {
    alarms.push({ code: 'VigoShardMissing', message: 'a thread of the server does not answer' });
  }
  if ((sink?.lagMs ?? 0) > sinkLagMsMax) {
    alarms.push({ code: 'VigoSinkBehind', message: 'the database is more than a minute behind' });
  }
  const stores = [...shards, service].flatMap((thread) => thread?.store ?? []);
  if (stores.some(({ usedBytes, limitBytes }) => usedBytes > storeShareMax * limitBytes)) {
    alarms.push({ code: 'VigoStoreFilling', message: 'the store of a thread is 80 % full' });
  }
  return alarms;
}

/** Remembers which alarms are raised, and tells of changes only. */
export class AlarmWatch {
  readonly #expectedShards: number;
  readonly #raised = new Map<string, Alarm>();

  constructor(expectedShards: number) {
    this.#expectedShards = expectedShards;
  }

  /** Codes of what is raised now. */
  get raised(): readonly string[] {
    return [...this.#raised.keys()];
  }

  consider(reading: ServerReading): LiveEvent[] {
    const alarms = alarmsOf(reading, this.#expectedShards);
    const event = ({ code, message }: Alarm, raised: boolean): LiveEvent => ({
      type: 'server.alarm',
      atMs: reading.nowMs,
      data: { code, message, raised },
    });
    const over = [...this.#raised.values()].filter(
      ({ code }) => !alarms.some((alarm) => alarm.code === code),
    );
    const fresh = alarms.filter(({ code }) => !this.#raised.has(code));
    for (const { code } of over) this.#raised.delete(code);
    for (const alarm of fresh) this.#raised.set(alarm.code, alarm);
    return [
      ...fresh.map((alarm) => event(alarm, true)),
      ...over.map((alarm) => event(alarm, false)),
    ];
  }
}
