/** Asked of a shard (`ThreadSystem.request`): what it did since it started. */
export const fleetCountersControl = 'fleet.counters';

export interface FleetCounters {
  readonly checkIns: number;
  readonly reports: number;
  /** See LatencyHistogram.read. */
  readonly latency: readonly number[];
}
