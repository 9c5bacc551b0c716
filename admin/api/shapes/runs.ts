import { Type } from 'typebox';
import type { RunView } from '../../../actors/sink/query-rows.ts';
import { count, flag, milliseconds, object, text, time } from './basics.ts';
import { shape } from './shape.ts';

export const runShape = shape<RunView>()(
  object({
    id: text,
    envoyId: text,
    hostname: text,
    reportSequence: count,
    startedAtMs: Type.Number({ description: "milliseconds since 1970 by the envoy's clock" }),
    receivedAtMs: time,
    durationMs: milliseconds,
    policyVersion: count,
    state: Type.String({ description: 'converged, changed, degraded or failed' }),
    dryRun: flag,
    offline: flag,
    policyChanged: flag,
    total: count,
    unchanged: count,
    created: count,
    updated: count,
    deleted: count,
    skipped: count,
    blocked: count,
    failed: count,
  }),
);
