import type { PublishStatus } from '../../../actors/publish/messages.ts';
import type { RolloutView } from '../../../actors/rollout/messages.ts';
import type { FleetFigures } from '../../../actors/sink/queries.ts';
import type { StatusView } from '../backend.ts';
import type { ApiMeter } from './api-meter.ts';
import { Exposition } from './exposition.ts';
import { writeApi } from './families/api.ts';
import { writeFleet } from './families/fleet.ts';
import { writePolicy } from './families/policy.ts';
import { writeProcess } from './families/process.ts';
import { writeShards } from './families/shards.ts';
import { writeThreads } from './families/threads.ts';
import { type TraceFigures, writeTraces } from './families/traces.ts';
import type { ProcessFigures } from './process-figures.ts';

/** Media type of the exposition format 0.0.4. */
export const metricsMediaType = 'text/plain; version=0.0.4; charset=utf-8';

/** All that the metrics are made of; each part is read once per scrape, off the check-in path. */
export interface MetricSources {
  readonly status: StatusView;
  readonly fleet: FleetFigures;
  /** Undefined while the publish actor does not answer. */
  readonly publish: PublishStatus | undefined;
  /** Undefined when there never was one, or while its actor does not answer. */
  readonly rollout: RolloutView | undefined;
  readonly process: ProcessFigures;
  /** Names of server certificates -> when they end, milliseconds since the epoch. */
  readonly certificates: Readonly<Record<string, number>>;
  readonly meter: ApiMeter;
  readonly live: {
    readonly viewers: number;
    /** By code. */
    readonly ended: ReadonlyMap<string, number>;
  };
  /** Undefined where no traces are exported. */
  readonly traces: TraceFigures | undefined;
}

export function metricsText(sources: MetricSources): string {
  const out = new Exposition();
  writeProcess(out, sources);
  writeThreads(out, sources);
  writeShards(out, sources);
  writeFleet(out, sources);
  writePolicy(out, sources);
  writeApi(out, sources);
  writeTraces(out, sources);
  return out.text();
}
