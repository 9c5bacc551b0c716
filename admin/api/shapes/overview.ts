import { Type } from 'typebox';
import { envoyStates } from '../../../actors/envoy/states.ts';
import { attentionKinds, type FleetOverview } from '../../../actors/sink/fleet-views.ts';
import {
  count,
  envoyState,
  maybe,
  milliseconds,
  object,
  stateCounts,
  text,
  time,
} from './basics.ts';
import { shape } from './shape.ts';

const column = Type.Array(Type.Union([Type.Number(), Type.Null()]));

export const overviewShape = shape<FleetOverview>()(
  object({
    atMs: time,
    envoys: object({
      active: count,
      counts: stateCounts,
      inMaintenance: count,
      convergedPercent: maybe(Type.Number({ minimum: 0, maximum: 100 })),
    }),
    series: object({
      window: Type.Enum(['24h', '7d']),
      stepMs: milliseconds,
      atMs: Type.Array(time),
      states: Type.Record(Type.Enum(envoyStates), column),
      checkInsPerSecond: column,
      reportsPerSecond: column,
      latencyP50Ms: column,
      latencyP99Ms: column,
    }),
    versions: object({
      policy: Type.Array(object({ version: count, envoys: count })),
      agent: Type.Array(object({ version: text, envoys: count, updating: count, failed: count })),
      livePolicy: count,
    }),
    today: object({
      sinceMs: time,
      runs: count,
      runsWithChanges: count,
      runsFailed: count,
      resourcesChanged: count,
      transitions: count,
      published: count,
      enrolled: count,
      revoked: count,
    }),
    attention: Type.Array(
      object({
        kind: Type.Enum(attentionKinds),
        severity: Type.Enum(['critical', 'warning', 'info']),
        text,
        count,
        sinceMs: maybe(time),
        state: maybe(envoyState),
        examples: Type.Array(object({ id: text, name: text })),
      }),
    ),
  }),
);
